/** Which methods a path takes, for the answer to all others. */
export class AllowedMethods {
  readonly #routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  /** `url` is a route's pattern such as `/incidents/:id`. */
  add(url: string, method: string | readonly string[]): void {
    let route = this.#routes.get(url);
    if (!route) {
      const source = url
        .split('/')
        .map((segment) => (segment.startsWith(':') ? '[^/]+' : RegExp.escape(segment)))
        .join('/');
      route = { pattern: new RegExp(`^${source}$`), methods: new Set() };
      this.#routes.set(url, route);
    }
    for (const name of [method].flat()) route.methods.add(name);
  }

  /** Sorted; empty for an unknown path. */
  of(path: string): string[] {
    const methods = new Set<string>();
    for (const route of this.#routes.values()) {
      if (route.pattern.test(path)) for (const name of route.methods) methods.add(name);
    }
    return [...methods].toSorted();
  }
}
