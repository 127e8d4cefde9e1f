/**
 * Inspects a main thread that does not respond, from another thread. The debugger protocol pauses the main thread,
 * returns its stack, and runs one function in it, which lists the active requests. Everything is public API
 * (node:inspector, connectToMainThread). Only that function is prepared in the main thread.
 *
 * Only JavaScript can be paused. For a thread that waits in the operating system (execSync, a read from a pipe) or
 * computes in native code, the report has the state from the kernel (native-block.ts), and no requests.
 */
import type { Debugger, Runtime, Session } from 'node:inspector';
import type { BlockReport } from '../../shared/protocol/messages.ts';
import { brief } from '../../shared/protocol/summaries.ts';
import { nativeBlock } from '../../shared/native-block.ts';

/** The function's name in the main thread. It takes a Question and returns JSON of { requests, requestCount }. */
export const requestsName = 'evy.watchdog';
const expression = `globalThis[Symbol.for(${JSON.stringify(requestsName)})]`;
export interface Question {
  /** whether the process is about to be killed */
  readonly isLast: boolean;
  /** beats of the main thread so far: one more shows that it is not blocked any longer */
  readonly beats: number;
}

/** An inspected main thread. If it could be paused, it stays paused until `letGo`. */
export interface Reading {
  readonly report: BlockReport;
  letGo(): void;
}

/** The most frames of a report, from the innermost one on. */
const mostFrames = 40;
/** characters of one frame, since function names may be of any length */
const longestFrame = 500;

/** Formats a frame as in a stack trace. Lines and columns of the protocol count from 0. */
function frameLine({ functionName, location }: Debugger.CallFrame, url: string): string {
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

/** Parses the function's result; an invalid one, if an application has replaced the function, counts as empty. */
export function requestsFrom(result: Runtime.EvaluateReturnType | undefined): Omit<BlockReport, 'stack'> {
  try {
    const { requests, requestCount } = JSON.parse(String(result?.result.value)) as BlockReport;
    if (Array.isArray(requests)) return { requests, requestCount };
  } catch {
    // An invalid result counts as empty.
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

/** Resolves within `withinMs`, with the facts known by then. */
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
