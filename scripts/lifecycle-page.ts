/** Draws docs/lifecycle.md from the tables of states. Pure, as docs-pages.ts. */
import { transferInputs, transferTable } from '../src/master/migration/transfer-table.ts';
import { reloadInputs, reloadTable } from '../src/master/outcomes/reload-phases.ts';
import { upgradeInputs, upgradeTable } from '../src/master/upgrade/upgrade-phases.ts';
import { workerInputs, workerTable } from '../src/master/workers/worker-states.ts';
import {
  readingInputs,
  readingTable,
  responseInputs,
  responseTable,
  writingInputs,
  writingTable,
} from '../src/worker/loop/connection-states.ts';
import { workerPhaseInputs, workerPhaseTable } from '../src/worker/process/worker-phases.ts';
import { stateDiagram, stateTable, type StateTable } from './state-diagram.ts';
import { wrap } from './wrap.ts';

interface Life {
  title: string;
  file: string;
  text: string;
  table: StateTable;
  inputs: readonly string[];
}

export const lives: readonly Life[] = [
  {
    title: 'A worker, as the master sees it',
    file: 'src/master/workers/worker-states.ts',
    text: '`deadline` means that the time for the current step has passed: for the boot, a heartbeat or the grace time. The state says which.',
    table: workerTable,
    inputs: workerInputs,
  },
  {
    title: 'A worker, as it sees itself',
    file: 'src/worker/process/worker-phases.ts',
    text: '`over`: no request or connection is left, or the grace time has passed. `end`: a crash, QUIT, or the last step of any other end.',
    table: workerPhaseTable,
    inputs: workerPhaseInputs,
  },
  {
    title: 'A reload',
    file: 'src/master/outcomes/reload-phases.ts',
    text: 'A fault before the reload is live fails it; a fault after that rolls it back. [reload.md](reload.md) describes what an operator sees.',
    table: reloadTable,
    inputs: reloadInputs,
  },
  {
    title: 'An upgrade of the master',
    file: 'src/master/upgrade/upgrade-phases.ts',
    text: 'As the previous master sees it. `leaving`: the upgrade cannot be undone any more.',
    table: upgradeTable,
    inputs: upgradeInputs,
  },
  {
    title: 'A connection that moves from worker to worker',
    file: 'src/master/migration/transfer-table.ts',
    text: 'After the slash is the action of the master: `place` looks for a worker, `offer` sends the connection to it, `close` closes the copy of the master. `confirm` tells the worker that the connection came from that it has moved, and `return` that it stays.',
    table: transferTable,
    inputs: transferInputs,
  },
  {
    title: 'The reading side of a connection',
    file: 'src/worker/loop/connection-states.ts',
    text: '`held`: a complete request is being processed. `over`: no further request will be read.',
    table: readingTable,
    inputs: readingInputs,
  },
  {
    title: 'The writing side of a connection',
    file: 'src/worker/loop/connection-states.ts',
    text: '`closing`: FIN follows the queued bytes. `gone`: the socket is closed, or has been passed on.',
    table: writingTable,
    inputs: writingInputs,
  },
  {
    title: 'A response',
    file: 'src/worker/loop/connection-states.ts',
    text: '`complete`: no more bytes will be added. `taken`: the application has taken over the socket. `over`: the post hooks have run, and the access log has the request.',
    table: responseTable,
    inputs: responseInputs,
  },
];

export function lifecyclePage(): string {
  const sections = lives.map(({ title, file, text, table, inputs }) => {
    return `## ${title}\n\n${wrap(`\`${file}\`. ${text}`)}\n\n${stateDiagram(table)}\n${stateTable(table, inputs)}`;
  });
  return `# Lifecycles

In which states can a worker, a reload, a connection or a response be, and what changes them? Each life is a table of
states and inputs; \`npm run docs\` draws this page from the tables of the code.

An empty cell is an illegal move: it throws an error that names the state and the input. A test tries every state with
every input.

${sections.join('\n')}`;
}
