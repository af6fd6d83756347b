/**
 * Whether `text` is of the form that `pattern` gives: `*` stands for any characters, also none, `?` for exactly one, everything else for
 * itself. Takes at most length times length steps, whatever the pattern.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let starAt = 0;
  let next = 0;
  while (at < text.length) {
    const sign = pattern[next];
    if (sign === '*') {
      star = next++;
      starAt = at;
    } else if (sign === '?' || sign === text[at]) {
      next++;
      at++;
    } else if (star >= 0) {
      // What the last star stands for grows by one, and the rest is tried again.
      next = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}
