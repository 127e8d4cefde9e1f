/** docs/lifecycle.md: every table of states, drawn. Pure, as docs-pages.ts. */
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
    text: '`deadline` is the end of whatever was waited for: the boot, a heartbeat, the grace time. The state says which.',
    table: workerTable,
    inputs: workerInputs,
  },
  {
    title: 'A worker, as it sees itself',
    file: 'src/worker/process/worker-phases.ts',
    text: '`over`: nothing is left, or the grace time has passed. `end`: a crash, QUIT, or the last step of every way out.',
    table: workerPhaseTable,
    inputs: workerPhaseInputs,
  },
  {
    title: 'A reload',
    file: 'src/master/outcomes/reload-phases.ts',
    text: 'Until it is live, what goes wrong fails it; after that it is rolled back. What an operator sees of it is in [reload.md](reload.md).',
    table: reloadTable,
    inputs: reloadInputs,
  },
  {
    title: 'An upgrade of the master',
    file: 'src/master/upgrade/upgrade-phases.ts',
    text: 'As the old master sees it. `leaving`: the new one is not to be taken back any more.',
    table: upgradeTable,
    inputs: upgradeInputs,
  },
  {
    title: 'A connection that moves from worker to worker',
    file: 'src/master/migration/transfer-table.ts',
    text: 'Behind the slash stands what the master does: `place` looks for a worker, `offer` sends it the connection, `close` closes the copy of the master, and tells the origin that the connection has moved (`confirm`) or stays (`return`).',
    table: transferTable,
    inputs: transferInputs,
  },
  {
    title: 'What a connection reads',
    file: 'src/worker/loop/connection-states.ts',
    text: '`held`: a whole request is being answered. `over`: no further request will be read.',
    table: readingTable,
    inputs: readingInputs,
  },
  {
    title: 'What a connection writes',
    file: 'src/worker/loop/connection-states.ts',
    text: '`closing`: FIN goes out after what is queued. `gone`: the socket is closed, or belongs to somebody else.',
    table: writingTable,
    inputs: writingInputs,
  },
  {
    title: 'A response',
    file: 'src/worker/loop/connection-states.ts',
    text: '`complete`: no more bytes will come. `taken`: the application has the socket. `over`: post hooks and the access log have had it.',
    table: responseTable,
    inputs: responseInputs,
  },
];

export function lifecyclePage(): string {
  const sections = lives.map(({ title, file, text, table, inputs }) => {
    return `## ${title}\n\n\`${file}\`. ${text}\n\n${stateDiagram(table)}\n${stateTable(table, inputs)}`;
  });
  return `# Lifecycles

In which states can a worker, a reload, a connection or a response be, and what changes them? Each life is a table of states and inputs; \`npm run docs\` draws this page from
the tables of the code.

An empty cell is a move that throws and names both words. A test tries every state with every input.

${sections.join('\n')}`;
}
