/**
 * How the values of a column are written, by tag. A reader is told the number of values.
 * text: each with a newline after it. timestamps: see timestamp-column.ts. dictionary: number of distinct values minus one,
 * these as text, then an id a value when there are several. fixed: the values' one length, the length of their common prefix,
 * the prefix, then the rest of each. hex: the same, two lower-case hex digits a byte.
 */
export const COLUMN_TEXT = 0;
export const COLUMN_TIMESTAMPS = 1;
export const COLUMN_DICTIONARY = 2;
export const COLUMN_FIXED = 3;
export const COLUMN_HEX = 4;
