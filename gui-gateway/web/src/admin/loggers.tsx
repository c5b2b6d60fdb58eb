// Levels of the log, at all members, until the restart.
import { useState } from "preact/hooks";
import { admin, type Loggers as Levels } from "../lib/admin";
import { count } from "../lib/figures";
import { act, Answer, Filter, Head, Silent } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

interface Row { name: string; at: { member: string; configured: string | null; effective: string }[] }

function rowsOf(levels: Levels, text: string): Row[] {
    const rows = new Map<string, Row>();
    for (const [member, loggers] of Object.entries(levels.loggers))
        for (const [name, level] of Object.entries(loggers)) {
            const row = rows.get(name) ?? { name, at: [] };
            row.at.push({ member, configured: level.configuredLevel, effective: level.effectiveLevel });
            rows.set(name, row);
        }
    return [...rows.values()].filter((row) => row.name.toLowerCase().includes(text.toLowerCase())).sort((a, b) => a.name.localeCompare(b.name));
}

const ROOT = "ROOT"; /* the parent of all */
const INHERITED = "";
const MIXED = "mixed";

function choose(row: Row, value: string, refresh: () => void): Promise<void> {
    const level = value === INHERITED ? null : value;
    return act(async () => {
        const { members } = await admin.setLogger(row.name, level);
        const silent = members.filter((m) => !m.ok);
        if (silent.length > 0)
            throw new Error(silent.map((m) => m.id).join(", "));
    }, `${row.name}: ${level ?? "as its parent"}`, "Not set everywhere", refresh);
}

function LevelChoice({ row, levels, refresh }: { row: Row; levels: string[]; refresh: () => void }) {
    const all = new Set(row.at.map((one) => one.configured));
    const value = all.size > 1 ? MIXED : row.at[0]!.configured ?? INHERITED;
    return (
        <select
            class="choice"
            aria-label={`Level of ${row.name}`}
            value={value}
            data-testid="logger-level"
            onChange={(event) => void choose(row, event.currentTarget.value, refresh)}
        >
            {value === MIXED && <option value={MIXED} disabled>Different</option>}
            {row.name !== ROOT && <option value={INHERITED}>As its parent</option>}
            {levels.map((level) => <option key={level} value={level}>{level}</option>)}
        </select>
    );
}

function effective(row: Row): string {
    const levels = new Set(row.at.map((one) => one.effective));
    return levels.size === 1 ? row.at[0]!.effective : row.at.map((one) => `${one.member}: ${one.effective}`).join(", ");
}

function columns(levels: string[], refresh: () => void): Column<Row>[] {
    return [
        { head: "Category", kind: "main", cell: (r) => <span class="mono">{r.name}</span> },
        { head: "In force", cell: (r) => effective(r) },
        { head: "Members", kind: "number", cell: (r) => count(r.at.length) },
        { head: "Set to", cell: (r) => <LevelChoice row={r} levels={levels} refresh={refresh} /> },
    ];
}

export function Loggers() {
    const [text, setText] = useState("");
    const levels = usePolled("loggers", admin.loggers);
    return (
        <>
            <Head title="Log levels" />
            <p class="hint">A change holds at all members until they start again.</p>
            <Filter label="Part of the category" told={setText} />
            <Silent members={levels.data?.members} />
            <Answer
                of={levels}
                none={(data) => (rowsOf(data, text).length > 0 ? "" : "No category matches.")}
                show={(data) => (
                    <DataTable caption="Log levels" columns={columns(data.levels, levels.refresh)} rows={rowsOf(data, text)} keyOf={(r) => r.name} testId="loggers" />
                )}
            />
        </>
    );
}
