// Jobs of one state: how far each is, what went wrong, and another try.
import { useState } from "preact/hooks";
import { count, duration, several } from "../lib/figures";
import { type Job, jobs, PAGE, type State, STATES, type Summary, type Which } from "../lib/jobs";
import { exactly } from "../lib/time";
import { confirmDialog } from "../ui/dialog";
import { notify } from "../ui/toast";
import { RegistrationName, useNames } from "./job-registrations";
import { act, Answer, Filter } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

const LIVE_MS = 2_000;
const WORDS: Record<State, string> = { waiting: "Waiting", delayed: "Delayed", processing: "Processing", errors: "Errors" };
const NONE: Record<State, string> = {
    waiting: "No job waits.", delayed: "No job waits for another attempt.", processing: "No job is being done.", errors: "No job has failed for good.",
};

/* ---- acts ---- */

const retry = (job: Job, refresh: () => void) => act(() => jobs.retry(job), "It is tried again", "Not retried", refresh);

async function drop(job: Job, refresh: () => void): Promise<void> {
    const sure = await confirmDialog({
        title: "Drop this job?",
        body: <p>What <strong>{job.handler}</strong> was to do for <strong>{job.objectId}</strong> is never done. There is no way back.</p>,
        confirm: "Drop it",
        danger: true,
    });
    if (sure)
        await act(() => jobs.drop(job), "The job is dropped", "Not dropped", refresh);
}

/** What would be done is counted first. */
async function all(what: "retry" | "drop", which: Which, refresh: () => void): Promise<void> {
    const n = await (what === "retry" ? jobs.wouldRetry(which) : jobs.wouldDrop(which)).catch(() => null);
    if (n === 0) {
        notify("No job that failed for good is meant.");
        return;
    }
    const meant = n === null ? "All jobs that are meant" : several(n, "job");
    const sure = await confirmDialog(what === "retry"
        ? { title: `Retry ${meant}?`, body: <p>Each begins with its first attempt again.</p>, confirm: "Retry" }
        : { title: `Drop ${meant}?`, body: <p>What they were to do is never done. There is no way back.</p>, confirm: "Drop them", danger: true });
    if (sure)
        await act(() => (what === "retry" ? jobs.retryAll(which) : jobs.dropAll(which)), what === "retry" ? `${meant} to be tried again` : `${meant} dropped`, "Not done", refresh);
}

/* ---- rows ---- */

const words = (text = "") => text.toLowerCase().replaceAll("_", " ");

function Attempt({ job }: { job: Job }) {
    return (
        <span class="attempt">
            <span>{job.attempts} of {job.maxAttempts}</span>
            <progress max={job.maxAttempts} value={job.attempts} aria-hidden="true" />
        </span>
    );
}

function next(job: Job) {
    const at = job.status === "PROCESSING" ? job.leaseExpiresAt : job.availableAt;
    if (job.status === "PROCESSING")
        return <span title={at && `lease until ${exactly(at)}`}>at {job.worker ?? "a worker"}</span>;
    if (job.status === "ERROR")
        return "given up";
    const ms = at ? Date.parse(at) - Date.now() : 0;
    return ms > 0 ? <span title={exactly(at!)}>in {duration(ms + 999)}</span> : job.status === "WAITING" ? "when its turn comes" : "now";
}

function Failure({ job }: { job: Job }) {
    return job.error
        ? <span class="failure" title={job.error.at && exactly(job.error.at)}><span class="mono">{job.error.code}</span> {job.error.message}</span>
        : null;
}

function columns(names: ReadonlyMap<string, string>, state: State, scoped: boolean, refresh: () => void): Column<Job>[] {
    const failed = state === "delayed" || state === "errors";
    return [
        { head: "Job", kind: "main", cell: (j) => <span class="job-what" title={j.id}>{words(j.action)} <span class="mono">{j.objectId}</span></span> },
        { head: "Registration", cell: (j) => <RegistrationName id={j.registration} names={names} /> },
        ...(scoped ? [] : [{ head: "Scope", cell: (j: Job) => j.scope }]),
        { head: "Attempt", cell: (j) => <Attempt job={j} /> },
        ...(state === "errors" ? [] : [{ head: "Next", cell: next }]),
        { head: "Age", kind: "number", cell: (j) => <time dateTime={j.createdAt} title={exactly(j.createdAt)}>{duration(Date.now() - Date.parse(j.createdAt))}</time> },
        ...(failed ? [{ head: "Error", cell: (j: Job) => <Failure job={j} /> }] : []),
        ...(state === "errors" ? [{
            head: "Act", kind: "act" as const, cell: (j: Job) => (
                <>
                    <button type="button" class="button small" data-testid="job-retry" aria-label={`Retry ${words(j.action)} ${j.objectId}`} onClick={() => void retry(j, refresh)}>
                        Retry
                    </button>
                    {" "}
                    <button type="button" class="button small" data-testid="job-drop" aria-label={`Drop ${words(j.action)} ${j.objectId}`} onClick={() => void drop(j, refresh)}>
                        Drop
                    </button>
                </>
            ),
        }] : []),
    ];
}

/* ---- the section ---- */

interface Props { summary: Summary | null; scope: string; registrations: string[]; refresh: () => void }

function States({ shown, summary, show }: { shown: State; summary: Summary | null; show: (state: State) => void }) {
    return (
        <div class="states" role="group" aria-label="State">
            {STATES.map((state) => (
                <button key={state} type="button" class="button small" aria-pressed={state === shown} data-testid={`jobs-${state}`} onClick={() => show(state)}>
                    {WORDS[state]} <span class="tab-count">{summary ? count(summary[state]) : "–"}</span>
                </button>
            ))}
        </div>
    );
}

export function JobList({ summary, scope, registrations, refresh }: Props) {
    const [chosen, setChosen] = useState<State | null>(null);
    const [registration, setRegistration] = useState("");
    const [objectId, setObjectId] = useState("");
    const [start, setStart] = useState(0);
    const names = useNames(registrations);
    const state = chosen ?? (summary && summary.errors > 0 ? "errors" : "waiting");
    const which: Which = { scope, registration, objectId };
    const page = usePolled(`${state} ${start} ${Object.values(which).join(" ")}`, (signal) => jobs.list(state, which, start, signal), LIVE_MS);
    const again = () => {
        page.refresh();
        refresh();
    };
    const from = <T,>(set: (value: T) => void) => (value: T) => {
        set(value);
        setStart(0);
    };
    return (
        <>
            <h2 class="part-title">Jobs</h2>
            <States shown={state} summary={summary} show={from<State>(setChosen)} />
            <div class="job-filter">
                <select class="choice" aria-label="Registration" value={registration} data-testid="jobs-registration" onChange={(event) => from(setRegistration)(event.currentTarget.value)}>
                    <option value="">All registrations</option>
                    {registrations.map((id) => <option key={id} value={id}>{names.get(id) || id}</option>)}
                </select>
                <Filter label="Id of the component" told={from(setObjectId)} />
                {state === "errors" && (page.data?.found ?? 0) > 0 && (
                    <span class="job-acts">
                        <button type="button" class="button small" data-testid="jobs-retry-all" onClick={() => void all("retry", which, again)}>Retry all…</button>
                        <button type="button" class="button small" data-testid="jobs-drop-all" onClick={() => void all("drop", which, again)}>Drop all…</button>
                    </span>
                )}
            </div>
            <Answer
                of={page}
                none={(data) => (data.results.length > 0 ? "" : NONE[state])}
                show={(data) => <DataTable caption={`Jobs: ${WORDS[state]}`} columns={columns(names, state, scope === "", again)} rows={data.results} keyOf={(j) => j.id} testId="jobs" />}
            />
            <div class="actions">
                {start > 0 && <button type="button" class="button" onClick={() => setStart(Math.max(0, start - PAGE))}>Older</button>}
                {(page.data?.found ?? 0) > start + PAGE && <button type="button" class="button" data-testid="jobs-newer" onClick={() => setStart(start + PAGE)}>Newer</button>}
            </div>
        </>
    );
}
