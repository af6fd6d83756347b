// What the module asks JavaScript; addresses and lengths in bytes.

/** The number that the valid JSON number in [at, at + length) stands for. */
// @ts-ignore: decorator
@external('env', 'decimal')
export declare function decimal(at: usize, length: i32): f64;

/** Id of a name of NameTable `table` (0 entities, 1 endpoints, 2 versions); negative: not to be remembered. */
// @ts-ignore: decorator
@external('env', 'intern')
export declare function intern(table: i32, at: usize, length: i32): i32;

/** Whether the sender may post for the service whose name lies in [at, at + length); `entity` is 0 when not known yet. */
// @ts-ignore: decorator
@external('env', 'allows')
export declare function allows(entity: i32, at: usize, length: i32): i32;
