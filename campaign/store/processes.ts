/** Whether a process of this machine has a number. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // Processes of other users run, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
