/**
 * What a helper opens it also registers here, so that no test has to remember to close it. Registered during a test:
 * undone after that test. Registered outside of one (in a `before`): undone after the last test.
 */
type Undo = () => unknown;

let afterTest: Undo[] = [];
let afterRun: Undo[] = [];
let inTest = false;

/** Calls `undo` when the test, or the run, is over. Calling it when there is nothing left to undo must be harmless. */
export function onEnd(undo: Undo): void {
  (inTest ? afterTest : afterRun).push(undo);
}

export function enterTest(): void {
  inTest = true;
}

export const isInTest = (): boolean => inTest;

/** Last registered, first undone. All are undone even if one fails; then the first failure is thrown. */
async function undoAll(undos: readonly Undo[]): Promise<void> {
  const failures: unknown[] = [];
  for (const undo of undos.toReversed()) {
    try {
      await undo();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

export async function leaveTest(): Promise<void> {
  inTest = false;
  const undos = afterTest;
  afterTest = [];
  await undoAll(undos);
}

export async function leaveRun(): Promise<void> {
  const undos = afterRun;
  afterRun = [];
  await undoAll(undos);
}
