// The queue of asynchronous operations: how deep it is, by registration, and its jobs.
import { useState } from "preact/hooks";
import { count, duration } from "../lib/figures";
import { ALL_SCOPES, jobs, type Registration, STATES, type Summary } from "../lib/jobs";
import { session } from "../lib/session";
import { useStore } from "../lib/store";
import { JobList } from "./job-list";
import { Registrations, setPaused } from "./job-registrations";
import { Answer, Head } from "./parts";
import { Figure, type Sample } from "./spark";
import { usePolled } from "./use-polled";

const LIVE_MS = 2_000;
const CALM_MS = 10_000; /* all rows are read for the table of registrations: less often when they are many */
const MANY = 10_000;
const WINDOW_MS = 5 * 60_000;

interface Depth { summary: Summary; waiting: Sample[]; oldest: Sample[]; errors: Sample[] }

let kept: Omit<Depth, "summary"> = { waiting: [], oldest: [], errors: [] };
let keptOf = "";

/** The last minutes stay when one looks at another part. */
async function readDepth(scope: string, signal: AbortSignal): Promise<Depth> {
    const summary = await jobs.summary(scope, signal);
    const at = Date.now();
    const add = (samples: Sample[], value: number) => [...samples.filter((sample) => sample.at > at - WINDOW_MS), { at, value }];
    if (keptOf !== scope)
        kept = { waiting: [], oldest: [], errors: [] };
    keptOf = scope;
    kept = {
        waiting: add(kept.waiting, summary.waiting + summary.delayed),
        oldest: add(kept.oldest, summary.oldestWaitingMs),
        errors: add(kept.errors, summary.errors),
    };
    return { summary, ...kept };
}

const isAll = (row: Registration) => row.registration === "";

export function Jobs() {
    const state = useStore(session);
    const mayAll = state.is === "in" && state.session.profiles.includes("SYSTEM_ADMIN");
    const own = state.is === "in" ? state.session.scope : "";
    const [everywhere, setEverywhere] = useState(false);
    const scope = everywhere ? ALL_SCOPES : "";
    const depth = usePolled(`depth ${scope}`, (signal) => readDepth(scope, signal), LIVE_MS);
    const isDeep = depth.data !== null && STATES.reduce((sum, name) => sum + depth.data!.summary[name], 0) > MANY;
    const rows = usePolled(`registrations ${scope}`, (signal) => jobs.registrations(scope, signal), isDeep ? CALM_MS : LIVE_MS);
    const refresh = () => {
        depth.refresh();
        rows.refresh();
    };
    const ofAll = rows.data?.filter((row) => isAll(row) && row.paused) ?? [];
    const paused = ofAll.some((row) => row.scope === (everywhere ? "" : own));
    const byOthers = ofAll.some((row) => row.scope === "") && !everywhere;
    const listed = rows.data?.filter((row) => !isAll(row)) ?? [];
    return (
        <>
            <Head title="Jobs" count={depth.data ? `${count(depth.data.summary.waiting + depth.data.summary.delayed)} to do` : ""}>
                {mayAll && (
                    <label class="tick">
                        <input type="checkbox" checked={everywhere} data-testid="jobs-everywhere" onChange={(event) => setEverywhere(event.currentTarget.checked)} /> All scopes
                    </label>
                )}
                <button type="button" class="button" data-testid="jobs-pause-all" disabled={rows.data === null} onClick={() => void setPaused(scope, "", !paused, refresh)}>
                    {paused ? "Resume all" : "Pause all"}
                </button>
            </Head>
            {(paused || byOthers) && (
                <p class="advice alone" role="status" data-testid="jobs-paused">
                    {byOthers ? "All jobs of all scopes are paused, by an administrator of the system." : "All jobs are paused. None is begun until you resume."}
                </p>
            )}
            <Answer
                of={depth}
                show={({ waiting, oldest, errors }) => (
                    <div class="figures">
                        <Figure label="Waiting or delayed" unit="waiting" samples={waiting} windowMs={WINDOW_MS} write={count} />
                        <Figure label="Oldest has waited" unit="oldest" samples={oldest} windowMs={WINDOW_MS} write={duration} />
                        <Figure label="Failed for good" unit="errors" samples={errors} windowMs={WINDOW_MS} write={count} />
                    </div>
                )}
            />
            <h2 class="part-title">By registration</h2>
            <Answer
                of={rows}
                none={() => (listed.length > 0 ? "" : "No registration has jobs, and none is paused.")}
                show={() => <Registrations rows={listed} allPaused={paused || byOthers} scoped={!everywhere} refresh={refresh} />}
            />
            <JobList
                summary={depth.data?.summary ?? null}
                scope={scope}
                registrations={[...new Set(listed.map((row) => row.registration))]}
                refresh={refresh}
            />
        </>
    );
}
