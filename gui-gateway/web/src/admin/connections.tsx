// Open collaboration sockets, at every core.
import { useState } from "preact/hooks";
import { admin, type Connection } from "../lib/admin";
import { bytes, count, duration } from "../lib/figures";
import { promptDialog } from "../ui/dialog";
import { act, Answer, Filter, Head, Silent } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

const REASON_MOST = 120;

async function close(row: Connection, refresh: () => void): Promise<void> {
    const reason = await promptDialog({
        title: "Close this connection?",
        body: <p>The connection of <strong>{row.user || "somebody"}</strong> ends; the browser connects again by itself.</p>,
        confirm: "Close connection",
        danger: true,
        input: { label: "Reason (the client is told)", value: "", max: REASON_MOST, optional: true },
    });
    if (reason !== null)
        await act(() => admin.closeConnection(row, reason), "The connection is being closed", "Not closed", refresh);
}

function columns(refresh: () => void): Column<Connection>[] {
    return [
        { head: "User", kind: "main", cell: (r) => r.user || "not signed in yet" },
        { head: "Documents", cell: (r) => r.documents.map((d) => d.name).join(", ") + (r.documentCount > r.documents.length ? " …" : "") },
        { head: "Core", cell: (r) => r.member },
        { head: "From", cell: (r) => <span class="mono">{r.address}</span> },
        { head: "Age", kind: "number", cell: (r) => duration(r.ageMs) },
        { head: "In", kind: "number", cell: (r) => bytes(r.bytesIn) },
        { head: "Out", kind: "number", cell: (r) => bytes(r.bytesOut) },
        { head: "Waiting", kind: "number", cell: (r) => `${bytes(r.queuedBytes)}${r.behind ? ", behind" : ""}` },
        {
            head: "Act", kind: "act", cell: (r) => (
                <button type="button" class="button small" data-testid="connection-close" aria-label={`Close the connection of ${r.user}`} onClick={() => void close(r, refresh)}>
                    Close
                </button>
            ),
        },
    ];
}

export function Connections() {
    const [user, setUser] = useState("");
    const rows = usePolled(user, (signal) => admin.connections(user, signal));
    return (
        <>
            <Head title="Connections" count={rows.data ? `${count(rows.data.found)} open` : ""} />
            <Filter label="User" told={setUser} />
            <Silent members={rows.data?.members} />
            <Answer
                of={rows}
                none={(data) => (data.results.length > 0 ? "" : user ? `${user} has no open connection.` : "Nobody is connected.")}
                show={(data) => (
                    <>
                        <DataTable caption="Connections" columns={columns(rows.refresh)} rows={data.results} keyOf={(r) => `${r.member} ${r.id}`} testId="connections" />
                        {data.next && <p class="hint">The first {data.results.length} of {count(data.found)}; name a user to see fewer.</p>}
                    </>
                )}
            />
        </>
    );
}
