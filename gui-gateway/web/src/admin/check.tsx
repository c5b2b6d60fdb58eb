// The cluster check: every member tries every part; what is wrong comes first, with what to do about it.
import { useState } from "preact/hooks";
import { admin, type Check, type CheckResult, type CheckStatus } from "../lib/admin";
import { ApiError } from "../lib/api";
import { several } from "../lib/figures";
import { timeOf } from "../lib/time";
import { Icon } from "../ui/icons";
import { Problem } from "./parts";
import { type Column, DataTable } from "./table";

const WORDS: Record<CheckStatus, string> = { ok: "Fine", warn: "Look at it", fail: "Broken" };
const LIGHTS: Record<CheckStatus, string> = { ok: "good", warn: "warn", fail: "bad" };
const ORDER: CheckStatus[] = ["fail", "warn", "ok"];

let last: Check | null = null; /* stays while other parts are looked at */

const columns: Column<CheckResult>[] = [
    { head: "Part", kind: "main", cell: (r) => r.name },
    { head: "Member", cell: (r) => r.member },
    { head: "Result", cell: (r) => <span class={`lamp-state ${LIGHTS[r.status]}`}><span class="dot" aria-hidden="true" />{WORDS[r.status]}</span> },
    { head: "Found", cell: (r) => r.detail },
    { head: "Took", kind: "number", cell: (r) => (r.ms === null ? "" : `${r.ms < 10 ? r.ms.toFixed(1) : Math.round(r.ms)} ms`) },
];

function summary(check: Check): string {
    const wrong = check.results.filter((r) => r.status !== "ok").length;
    return wrong === 0
        ? `All ${several(check.results.length, "test")} passed, at ${several(check.members, "member")}, ${timeOf(check.at)}`
        : `${several(wrong, "test")} of ${check.results.length} need${wrong === 1 ? "s" : ""} attention, ${timeOf(check.at)}`;
}

function Results({ check }: { check: Check }) {
    const sorted = [...check.results].sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status));
    const wrong = sorted.filter((r) => r.status !== "ok");
    return (
        <>
            <ul class="advices">
                {wrong.map((r) => (
                    <li key={`${r.member} ${r.name}`} class={`advice ${LIGHTS[r.status]}`}>
                        <Icon name="warn" />
                        <div>
                            <p><strong>{r.name}</strong> at {r.member}: {r.detail}</p>
                            {r.advice && <p class="advice-do">{r.advice[0]!.toUpperCase() + r.advice.slice(1)}.</p>}
                        </div>
                    </li>
                ))}
            </ul>
            <details class="all-results">
                <summary>All {several(check.results.length, "result")}</summary>
                <DataTable caption="Results of the check" columns={columns} rows={sorted} keyOf={(r) => `${r.member} ${r.name}`} testId="check" />
            </details>
        </>
    );
}

export function CheckSection() {
    const [check, setCheck] = useState<Check | null>(last);
    const [busy, setBusy] = useState(false);
    const [problem, setProblem] = useState("");

    const run = async () => {
        if (busy)
            return;
        setBusy(true);
        setProblem("");
        try {
            last = await admin.check();
            setCheck(last);
        } catch (error) {
            setProblem(error instanceof ApiError ? error.message : "The check could not be made.");
        }
        setBusy(false);
    };
    return (
        <section aria-labelledby="check-title">
            <div class="part-head">
                <h2 id="check-title" class="part-title">Check</h2>
                <button type="button" class="button" aria-disabled={busy} data-testid="check-now" onClick={() => void run()}>
                    {busy ? "Checking…" : "Check now"}
                </button>
            </div>
            <p class="check-summary" role="status" data-testid="check-summary" data-status={check?.status}>
                {check ? summary(check) : "Has every member try Redis, the database, the clocks and each other, and says what to do."}
            </p>
            <Problem text={problem} />
            {check && <Results check={check} />}
        </section>
    );
}
