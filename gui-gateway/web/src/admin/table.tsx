// A table that becomes a list of cards on a narrow screen. The roles are said, since some browsers forget those of a table that is
// no longer laid out as one.
import type { ComponentChildren } from "preact";
import { useKeptFocus } from "../ui/kept-focus";

export interface Column<R> {
    head: string;
    cell: (row: R) => ComponentChildren;
    kind?: "main" | "number" | "act"; /* the row's name; figures; buttons */
}

interface Props<R> {
    caption: string;
    columns: Column<R>[];
    rows: R[];
    keyOf: (row: R) => string;
    testId: string;
}

export function DataTable<R>({ caption, columns, rows, keyOf, testId }: Props<R>) {
    useKeptFocus();
    return (
        <table class="data" role="table" aria-label={caption} data-testid={testId}>
            <thead role="rowgroup">
                <tr role="row">
                    {columns.map((column) => (
                        <th key={column.head} role="columnheader" scope="col" class={column.kind}>
                            {column.kind === "act" ? <span class="visually-hidden">{column.head}</span> : column.head}
                        </th>
                    ))}
                </tr>
            </thead>
            <tbody role="rowgroup">
                {rows.map((row) => (
                    <tr key={keyOf(row)} role="row" data-testid={`${testId}-row`} data-key={keyOf(row)}>
                        {columns.map((column) => column.kind === "main"
                            ? <th key={column.head} role="rowheader" scope="row" class="main">{column.cell(row)}</th>
                            : (
                                <td key={column.head} role="cell" class={column.kind} data-label={column.head}>
                                    {column.cell(row)}
                                </td>
                            ))}
                    </tr>
                ))}
            </tbody>
        </table>
    );
}
