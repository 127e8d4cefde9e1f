/** Renders a table of states as a Mermaid diagram and as a Markdown table. Pure. */

/** The state that an input leads to, with what is done on the way if the table says it. */
export type Cell = string | { readonly to: string; readonly deed?: string };
export type StateTable = Readonly<Record<string, Readonly<Partial<Record<string, Cell>>>>>;

const target = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.to);
const deed = (cell: Cell): string => (typeof cell === 'string' || cell.deed === undefined ? '' : ` / ${cell.deed}`);
/** The name of a state in Mermaid, which reads a hyphen as the beginning of an arrow. */
const id = (state: string): string => state.replaceAll('-', '_');

/** The first state of the table is the initial one; states without inputs are final. Inputs with the same target share an arrow. */
export function stateDiagram(table: StateTable): string {
  const rows = Object.entries(table);
  const aliases = rows.filter(([state]) => id(state) !== state).map(([state]) => `state "${state}" as ${id(state)}`);
  const arrows = rows.flatMap(([state, moves]) => {
    const labels = new Map<string, string[]>();
    for (const [input, cell] of Object.entries(moves)) {
      const to = target(cell!);
      labels.set(to, [...(labels.get(to) ?? []), `${input}${deed(cell!)}`]);
    }
    return [...labels].map(([to, inputs]) => `${id(state)} --> ${id(to)}: ${inputs.join(', ')}`);
  });
  const ends = rows.filter(([, moves]) => Object.keys(moves).length === 0).map(([state]) => `${id(state)} --> [*]`);
  const lines = ['stateDiagram-v2', ...aliases, `[*] --> ${id(rows[0]![0])}`, ...arrows, ...ends];
  return `\`\`\`mermaid\n${lines.join('\n    ')}\n\`\`\`\n`;
}

/** One row per state, one column per input; an empty cell is a transition that throws. */
export function stateTable(table: StateTable, inputs: readonly string[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const rows = Object.entries(table).map(([state, moves]) => {
    const cells = inputs.map((input) => {
      const cell = moves[input];
      return cell === undefined ? '' : `${target(cell)}${deed(cell)}`;
    });
    return line([`**${state}**`, ...cells]);
  });
  return line(['state', ...inputs]) + line(['---', ...inputs.map(() => '---')]) + rows.join('');
}
