/**
 * Reads a main thread that does not answer, from another thread: the debugger's protocol pauses it in the middle of
 * what it does, tells where that is, and runs one function in it, which lists the requests under way. All of it is
 * public API (node:inspector, connectToMainThread). Nothing is prepared on the main thread but that function.
 *
 * Only JavaScript can be paused. Of a thread that waits in the operating system (execSync, a read from a pipe) or computes
 * in native code the report says what the kernel knows (native-block.ts), and no requests.
 */
import type { Debugger, Runtime, Session } from 'node:inspector';
import type { BlockReport } from '../../shared/protocol/messages.ts';
import { brief } from '../../shared/protocol/summaries.ts';
import { nativeBlock } from './native-block.ts';

/** The function's name in the main thread. It takes a Question and returns JSON of { requests, requestCount }. */
export const requestsName = 'evy.watchdog';
const expression = `globalThis[Symbol.for(${JSON.stringify(requestsName)})]`;
export interface Question {
  /** whether the process is about to be killed */
  readonly isLast: boolean;
  /** of the main thread, as far as the watchdog has heard: with one more it is not blocked any longer */
  readonly beats: number;
}

/** A main thread that was read. If it could be paused, it stands still until it is let go. */
export interface Reading {
  readonly report: BlockReport;
  letGo(): void;
}

/** Frames that a report shows, from the innermost one on. */
const mostFrames = 40;
/** characters of one: names may be made of anything */
const longestFrame = 500;

/** A frame as a stack trace has it. Lines and columns of the protocol count from 0. */
export function frameLine({ functionName, location }: Debugger.CallFrame, url: string): string {
  const place = `${url === '' ? '<anonymous>' : url}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`;
  return brief(functionName === '' ? `    at ${place}` : `    at ${functionName} (${place})`, longestFrame);
}

export function stackText(frames: readonly Debugger.CallFrame[], urls: ReadonlyMap<string, string>): string {
  const lines = frames
    .slice(0, mostFrames)
    .map((frame) => frameLine(frame, urls.get(frame.location.scriptId) ?? frame.url));
  const left = frames.length - lines.length;
  return [...lines, ...(left > 0 ? [`    ... ${left} more`] : [])].join('\n');
}

/** What the function returned; anything an application may have put in its place counts as nothing. */
export function requestsFrom(result: Runtime.EvaluateReturnType | undefined): Omit<BlockReport, 'stack'> {
  try {
    const { requests, requestCount } = JSON.parse(String(result?.result.value)) as BlockReport;
    if (Array.isArray(requests)) return { requests, requestCount };
  } catch {
    // as if there were none
  }
  return { requests: [] };
}

async function openSession(): Promise<Session | undefined> {
  try {
    const { Session } = await import('node:inspector');
    const session = new Session();
    session.connectToMainThread();
    return session;
  } catch {
    return undefined; // a Node without inspector
  }
}

/** Resolves within `withinMs`, with what could be read by then. */
export async function readBlockedMain(question: Question, withinMs: number): Promise<Reading> {
  const session = await openSession();
  const unknown: BlockReport = { requests: [] };
  if (session === undefined) return { report: unknown, letGo() {} };
  const urls = new Map<string, string>();
  const report = await new Promise<BlockReport>((resolve) => {
    const timer = setTimeout(() => resolve({ ...unknown, native: nativeBlock() }), withinMs);
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
    session.once('Debugger.paused', ({ params }) => {
      const stack = stackText(params.callFrames, urls);
      const call = { expression: `${expression}(${JSON.stringify(question)})`, returnByValue: true };
      session.post('Runtime.evaluate', call, (error, result) => {
        clearTimeout(timer);
        resolve({ stack, ...requestsFrom(error === null ? (result as Runtime.EvaluateReturnType) : undefined) });
      });
    });
    session.post('Debugger.enable');
    session.post('Debugger.pause');
  });
  return { report, letGo: () => session.disconnect() };
}
