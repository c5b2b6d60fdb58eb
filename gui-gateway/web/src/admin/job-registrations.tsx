// The queue by registration: how many wait, and whether operators let them.
import { useEffect } from "preact/hooks";
import { count, duration } from "../lib/figures";
import { ALL_SCOPES, jobs, type Registration } from "../lib/jobs";
import { paths } from "../lib/router";
import { Store, useStore } from "../lib/store";
import { confirmDialog } from "../ui/dialog";
import { Link } from "../ui/link";
import { act } from "./parts";
import { type Column, DataTable } from "./table";

const asked = new Set<string>();
const known = new Store<ReadonlyMap<string, string>>(new Map()); /* id -> the document's name */

async function learn(id: string): Promise<void> {
    asked.add(id);
    const name = id.includes(".") ? "" : await jobs.nameOf(id); /* those of the platform itself are no documents: collab.webhook */
    if (name)
        known.set(new Map(known.get()).set(id, name));
}

/** The names of registrations, as they become known. */
export function useNames(ids: string[]): ReadonlyMap<string, string> {
    useEffect(() => ids.filter((id) => !asked.has(id)).forEach((id) => void learn(id)), [ids.join(" ")]);
    return useStore(known);
}

export function RegistrationName({ id, names }: { id: string; names: ReadonlyMap<string, string> }) {
    const name = names.get(id);
    return name ? <Link href={paths.component("DOCUMENT", id)} title={id}>{name}</Link> : <span class="mono">{id}</span>;
}

/** Whole scopes, and all of them, are asked about first: more than one registration stands still then. */
export async function setPaused(scope: string, registration: string, paused: boolean, refresh: () => void): Promise<void> {
    const what = registration ? "this registration" : scope === ALL_SCOPES ? "all scopes" : "the scope";
    const sure = registration !== "" || !paused || await confirmDialog({
        title: `Pause all jobs of ${what}?`,
        body: <p>No job is begun until you resume. Those under way are finished; operations go on adding others.</p>,
        confirm: "Pause all",
    });
    if (sure)
        await act(() => jobs.pause(scope, registration, paused), paused ? "Paused" : "Resumed", paused ? "Not paused" : "Not resumed", refresh);
}

function PauseButton({ row, refresh }: { row: Registration; refresh: () => void }) {
    return (
        <button
            type="button"
            class="button small"
            data-testid="job-pause"
            aria-label={`${row.paused ? "Resume" : "Pause"} ${row.registration}`}
            onClick={() => void setPaused(row.scope || ALL_SCOPES, row.registration, !row.paused, refresh)}
        >
            {row.paused ? "Resume" : "Pause"}
        </button>
    );
}

function stateOf(row: Registration, allPaused: boolean) {
    const word = row.paused ? "Paused" : allPaused ? "Paused with all" : row.errors > 0 ? "Errors" : "Running";
    const light = row.paused || allPaused ? "warn" : row.errors > 0 ? "bad" : "good";
    return <span class={`lamp-state ${light}`}><span class="dot" aria-hidden="true" />{word}{row.perSecond > 0 && `, ${row.perSecond} a second`}</span>;
}

interface Props { rows: Registration[]; allPaused: boolean; scoped: boolean; refresh: () => void }

export function Registrations({ rows, allPaused, scoped, refresh }: Props) {
    const names = useNames(rows.map((r) => r.registration));
    const columns: Column<Registration>[] = [
        { head: "Registration", kind: "main", cell: (r) => <RegistrationName id={r.registration} names={names} /> },
        { head: "Handler", cell: (r) => <span class="mono">{r.handler}</span> },
        ...(scoped ? [] : [{ head: "Scope", cell: (r: Registration) => r.scope }]),
        { head: "Waiting", kind: "number", cell: (r) => count(r.waiting) },
        { head: "Delayed", kind: "number", cell: (r) => count(r.delayed) },
        { head: "Processing", kind: "number", cell: (r) => count(r.processing) },
        { head: "Errors", kind: "number", cell: (r) => count(r.errors) },
        { head: "Oldest", kind: "number", cell: (r) => (r.waiting > 0 ? duration(r.oldestWaitingMs) : "–") },
        { head: "State", cell: (r) => stateOf(r, allPaused) },
        { head: "Act", kind: "act", cell: (r) => <PauseButton row={r} refresh={refresh} /> },
    ];
    return <DataTable caption="By registration" columns={columns} rows={rows} keyOf={(r) => `${r.scope} ${r.registration}`} testId="job-registrations" />;
}
