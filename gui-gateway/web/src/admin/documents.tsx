// Documents that are open, at every core.
import { useState } from "preact/hooks";
import { admin, MOST_DOCUMENTS, type OpenDocument } from "../lib/admin";
import { bytes, count, duration, several } from "../lib/figures";
import { paths } from "../lib/router";
import { promptDialog } from "../ui/dialog";
import { Link } from "../ui/link";
import { act, Answer, Filter, Head, Silent } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

const REASON_MOST = 60;

async function close(row: OpenDocument, refresh: () => void): Promise<void> {
    const reason = await promptDialog({
        title: "Close this document?",
        body: (
            <p>
                It is open in {several(row.connections, "connection")}. These end and come back by themselves; nothing of
                <strong> {row.name}</strong> that was saved is lost.
            </p>
        ),
        confirm: "Close document",
        danger: true,
        input: { label: "Reason (its readers are told)", value: "", max: REASON_MOST, optional: true },
    });
    if (reason !== null)
        await act(() => admin.closeDocument(row.name, reason), `“${row.name}” is being closed`, "Not closed", refresh);
}

const since = (ms: number) => (ms < 1000 ? "just now" : `${duration(ms)} ago`);

function columns(refresh: () => void): Column<OpenDocument>[] {
    return [
        { head: "Document", kind: "main", cell: (r) => <Link href={paths.doc(r.name)}>{r.name}</Link> },
        { head: "Core", cell: (r) => r.member },
        { head: "State", cell: (r) => `${r.state[0]}${r.state.slice(1).toLowerCase()}${r.readOnly ? ", read only" : ""}` },
        { head: "Connections", kind: "number", cell: (r) => count(r.connections) },
        { head: "Present", kind: "number", cell: (r) => count(r.present) },
        { head: "Size", kind: "number", cell: (r) => bytes(r.bytes) },
        { head: "Not stored", kind: "number", cell: (r) => bytes(r.unstoredBytes) },
        { head: "Changed", kind: "number", cell: (r) => (r.unchangedForMs === null ? "not yet" : since(r.unchangedForMs)) },
        {
            head: "Act", kind: "act", cell: (r) => (
                <button type="button" class="button small" data-testid="document-close" aria-label={`Close ${r.name}`} onClick={() => void close(r, refresh)}>
                    Close
                </button>
            ),
        },
    ];
}

export function Documents() {
    const [text, setText] = useState("");
    const docs = usePolled(text, (signal) => admin.documents(text, MOST_DOCUMENTS, signal));
    return (
        <>
            <Head title="Open documents" count={docs.data ? `${count(docs.data.found)} open` : ""} />
            <Filter label="Part of the name" told={setText} />
            <Silent members={docs.data?.members} />
            <Answer
                of={docs}
                none={(data) => (data.results.length > 0 ? "" : text ? `No open document has “${text}” in its name.` : "No document is open.")}
                show={(data) => (
                    <DataTable caption="Open documents" columns={columns(docs.refresh)} rows={data.results} keyOf={(r) => `${r.name} ${r.member}`} testId="documents" />
                )}
            />
        </>
    );
}
