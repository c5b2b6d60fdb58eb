// What administrators did, newest first.
import { useState } from "preact/hooks";
import { admin, type Fact } from "../lib/admin";
import { ago, exactly } from "../lib/time";
import { Answer, Filter, Head } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

const LAST = ["request"]; /* of use only beside a log */

function written(value: unknown): string {
    if (typeof value !== "object" || value === null || Array.isArray(value))
        return typeof value === "string" ? value : JSON.stringify(value);
    return Object.entries(value).map(([name, inner]) => `${name} ${written(inner)}`).join(", ");
}
const words = (action: string) => action[0] + action.slice(1).toLowerCase().replaceAll("_", " ");

function Detail({ detail }: { detail: Record<string, unknown> }) {
    const rows = Object.entries(detail).filter(([, value]) => value !== null && value !== "")
        .sort(([a], [b]) => Number(LAST.includes(a)) - Number(LAST.includes(b)));
    return rows.length > 0
        ? (
            <dl class="detail">
                {rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{written(value)}</dd></div>)}
            </dl>
        )
        : null;
}

const columns: Column<Fact>[] = [
    { head: "Act", kind: "main", cell: (r) => words(r.action) },
    { head: "By", cell: (r) => r.user },
    { head: "When", cell: (r) => <time dateTime={r.at} title={exactly(r.at)}>{ago(r.at)}</time> },
    { head: "On", cell: (r) => <span>{r.objectType.toLowerCase()} <span class="mono">{r.objectId}</span></span> },
    { head: "Details", cell: (r) => <Detail detail={r.detail} /> },
];

export function Audit() {
    const [user, setUser] = useState("");
    const [before, setBefore] = useState<number | null>(null);
    const facts = usePolled(`${user} ${before ?? ""}`, (signal) => admin.audit(user, "", before, signal));
    const next = facts.data?.next ?? null;
    const told = (text: string) => {
        setUser(text);
        setBefore(null);
    };
    return (
        <>
            <Head title="Audit trail" />
            <Filter label="Administrator" told={told} />
            <Answer
                of={facts}
                none={(data) => (data.results.length > 0 ? "" : "No administrative act is recorded here.")}
                show={(data) => <DataTable caption="Audit trail" columns={columns} rows={data.results} keyOf={(r) => String(r.seq)} testId="audit" />}
            />
            <div class="actions">
                {before !== null && <button type="button" class="button" onClick={() => setBefore(null)}>Newest</button>}
                {next !== null && <button type="button" class="button" data-testid="audit-older" onClick={() => setBefore(next)}>Older</button>}
            </div>
        </>
    );
}
