/**
 * For commands that work through much: the heap grows in small steps from here on. 10 MB of transcript are drafted in
 * 440 MB instead of 530, 5 % slower; a command that only looks something up would start 15 ms later.
 */
export async function growSlowly(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--heap-growing-percent=10');
}
