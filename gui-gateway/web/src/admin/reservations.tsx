// Who holds what, and the end of it.
import { useState } from "preact/hooks";
import { admin, type Held } from "../lib/admin";
import { count } from "../lib/figures";
import { ago, exactly } from "../lib/time";
import { confirmDialog } from "../ui/dialog";
import { act, Answer, Filter, Head } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

async function end(held: Held, refresh: () => void): Promise<void> {
    const sure = await confirmDialog({
        title: "Break this reservation?",
        body: (
            <p>
                <strong>{held.user}</strong> is told, and others may write in <strong>{held.id}</strong> again. What was written so
                far stays.
            </p>
        ),
        confirm: "Break it",
        danger: true,
    });
    if (sure)
        await act(() => admin.breakReservation(held), "The reservation is broken", "Not broken", refresh);
}

function columns(refresh: () => void): Column<Held>[] {
    return [
        { head: "Component", kind: "main", cell: (r) => r.id },
        { head: "Category", cell: (r) => r.category.toLowerCase().replace("_", " ") },
        { head: "Held by", cell: (r) => r.user },
        { head: "Since", cell: (r) => <span title={exactly(r.since ?? "")}>{ago(r.since ?? "")}</span> },
        { head: "Until", cell: (r) => (r.expires ? exactly(r.expires) : "") },
        {
            head: "Act", kind: "act", cell: (r) => (
                <button type="button" class="button small" data-testid="reservation-break" aria-label={`Break the reservation of ${r.id}`} onClick={() => void end(r, refresh)}>
                    Break
                </button>
            ),
        },
    ];
}

export function Reservations() {
    const [user, setUser] = useState("");
    const rows = usePolled(user, (signal) => admin.reservations(user, signal));
    return (
        <>
            <Head title="Reservations" count={rows.data ? `${count(rows.data.found)} held` : ""} />
            <Filter label="User" told={setUser} />
            <Answer
                of={rows}
                none={(data) => (data.results.length > 0 ? "" : user ? `${user} holds nothing.` : "Nothing is reserved.")}
                show={(data) => (
                    <>
                        <DataTable caption="Reservations" columns={columns(rows.refresh)} rows={data.results} keyOf={(r) => `${r.category} ${r.id}`} testId="reservations" />
                        {data.found > data.results.length && <p class="hint">The first {data.results.length} of {count(data.found)}; name a user to see fewer.</p>}
                    </>
                )}
            />
        </>
    );
}
