// Sessions of a user, and whom failed logins keep waiting.
import { useState } from "preact/hooks";
import { admin, type Lock, type SessionRow } from "../lib/admin";
import { duration, several } from "../lib/figures";
import { ago, exactly } from "../lib/time";
import { confirmDialog } from "../ui/dialog";
import { act, Answer, Filter, Head, Silent } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

async function end(row: SessionRow, refresh: () => void): Promise<void> {
    const sure = await confirmDialog({
        title: "End this session?",
        body: <p><strong>{row.user}</strong> is signed out there, at once. What is not saved yet stays in that browser until the next signing in.</p>,
        confirm: "End session",
        danger: true,
    });
    if (sure)
        await act(() => admin.endSession(row.id), `The session of ${row.user} is over`, "Not ended", refresh);
}

async function endAll(user: string, n: number, refresh: () => void): Promise<void> {
    const sure = await confirmDialog({
        title: `End all sessions of ${user}?`,
        body: <p>{several(n, "session")} end at once, on all devices.</p>,
        confirm: "End all",
        danger: true,
    });
    if (sure)
        await act(() => admin.endAllSessions(user), `The sessions of ${user} are over`, "Not ended", refresh);
}

function columns(refresh: () => void): Column<SessionRow>[] {
    return [
        { head: "Session", kind: "main", cell: (r) => <span class="mono">{r.id.slice(0, 12)}</span> },
        { head: "User", cell: (r) => r.user },
        { head: "Signed in", cell: (r) => exactly(r.created) },
        { head: "Last seen", cell: (r) => <span title={exactly(r.lastAccessed)}>{ago(r.lastAccessed)}</span> },
        { head: "Ends when silent for", kind: "number", cell: (r) => duration(r.maxInactiveS * 1000) },
        {
            head: "Act", kind: "act", cell: (r) => (
                <button type="button" class="button small" data-testid="session-end" aria-label={`End session ${r.id.slice(0, 12)}`} onClick={() => void end(r, refresh)}>
                    End
                </button>
            ),
        },
    ];
}

function OfUser({ user }: { user: string }) {
    const rows = usePolled(user, (signal) => admin.sessions(user, signal));
    return (
        <Answer
            of={rows}
            none={(list) => (list.length > 0 ? "" : `${user} has no session.`)}
            show={(list) => (
                <>
                    <DataTable caption={`Sessions of ${user}`} columns={columns(rows.refresh)} rows={list} keyOf={(r) => r.id} testId="sessions" />
                    {list.length > 1 && (
                        <button type="button" class="button" data-testid="session-end-all" onClick={() => void endAll(user, list.length, rows.refresh)}>
                            End all {list.length}
                        </button>
                    )}
                </>
            )}
        />
    );
}

function lockColumns(refresh: () => void): Column<Lock>[] {
    return [
        { head: "User", kind: "main", cell: (r) => r.user },
        { head: "From", cell: (r) => <span class="mono">{r.address}</span> },
        { head: "Failed logins", kind: "number", cell: (r) => r.failures },
        { head: "May try again", kind: "number", cell: (r) => (r.waitMs > 0 ? `in ${duration(r.waitMs)}` : "now") },
        { head: "Member", cell: (r) => r.member },
        {
            head: "Act", kind: "act", cell: (r) => (
                <button
                    type="button"
                    class="button small"
                    aria-label={`Unlock ${r.user}`}
                    onClick={() => void act(() => admin.unlock(r.user), `${r.user} may try again`, "Not unlocked", refresh)}
                >
                    Unlock
                </button>
            ),
        },
    ];
}

export function Sessions() {
    const [user, setUser] = useState("");
    const locks = usePolled("locks", admin.locks);
    return (
        <>
            <Head title="Sessions" />
            <Filter label="User, as he signs in" told={setUser} />
            {user ? <OfUser key={user} user={user} /> : <p class="none">Name a user to see where he is signed in.</p>}
            <h2 class="part-title">Waiting after failed logins</h2>
            <Silent members={locks.data?.members} />
            <Answer
                of={locks}
                none={(data) => (data.results.length > 0 ? "" : "Nobody has to wait.")}
                show={(data) => (
                    <DataTable caption="Failed logins" columns={lockColumns(locks.refresh)} rows={data.results} keyOf={(r) => `${r.member} ${r.user} ${r.address}`} testId="locks" />
                )}
            />
        </>
    );
}
