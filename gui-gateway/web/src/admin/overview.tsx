// The cluster at a glance: figures, links, members, and the check on demand.
import { admin, type Cluster, type Health, type Member, type RedisLink } from "../lib/admin";
import { bytes, count, duration, several } from "../lib/figures";
import { exactly } from "../lib/time";
import { confirmDialog } from "../ui/dialog";
import { CheckSection } from "./check";
import { readPicture, WINDOW_MS } from "./cluster-figures";
import { act, Answer, Head } from "./parts";
import { Figure } from "./spark";
import { usePolled } from "./use-polled";

const LIVE_MS = 2_000;

type Light = "good" | "warn" | "bad" | "off";

function redisWords(redis: RedisLink): { light: Light; state: string; detail: string } {
    if (redis.mode === "none")
        return { light: "off", state: "Not used", detail: "One core alone; several need it." };
    const works = redis.state === "READY";
    const links = redis.links !== undefined ? `, ${redis.ready ?? 0} of ${several(redis.links, "link")}` : "";
    const sentinels = redis.sentinels?.length ? ` through ${several(redis.sentinels.length, "sentinel")}` : "";
    return {
        light: works ? "good" : "bad",
        state: works ? "Connected" : `Not connected (${(redis.state ?? "").toLowerCase()})`,
        detail: `${redis.master || "master not known"}${sentinels}${links}${!works && redis.lastLoss ? ` – ${redis.lastLoss}` : ""}`,
    };
}

function membersWords(cluster: Cluster): { light: Light; state: string; detail: string } {
    const draining = cluster.members.filter((m) => m.draining);
    const n = (role: string) => several(cluster.members.filter((m) => m.role === role).length, role);
    const versions = new Set(cluster.members.map((m) => m.version));
    return {
        light: versions.size > 1 || draining.length > 0 ? "warn" : "good",
        state: draining.length > 0 ? `${several(draining.length, "member")} draining` : versions.size > 1 ? "Different versions" : "All ready",
        detail: cluster.redis.mode === "none" ? `${n("core")}; gateways are known over Redis alone` : `${n("core")}, ${n("gateway")}`,
    };
}

function databaseWords(health: Health | null): { light: Light; state: string; detail: string } {
    const status = health?.components?.db?.status;
    if (!status)
        return { light: "off", state: "Not known", detail: "The check below tries it." };
    return status === "UP"
        ? { light: "good", state: "Connected", detail: "Edits are stored." }
        : { light: "bad", state: "Not reachable", detail: "Edits wait in memory and are not acknowledged." };
}

function Lamp({ name, light, state, detail }: { name: string; light: Light; state: string; detail: string }) {
    return (
        <section class="lamp" data-testid={`lamp-${name.toLowerCase()}`}>
            <h3>{name}</h3>
            <p class={`lamp-state ${light}`}><span class="dot" aria-hidden="true" />{state}</p>
            <p class="lamp-detail">{detail}</p>
        </section>
    );
}

async function drain(member: Member, refresh: () => void): Promise<void> {
    const draining = !member.draining;
    const sure = await confirmDialog(draining
        ? {
            title: "Drain this member?",
            body: <p><strong>{member.id}</strong> says that it is not ready: balancers send nobody new. What is open there goes on.</p>,
            confirm: "Drain",
        }
        : { title: "Make it ready again?", body: <p><strong>{member.id}</strong> takes new work again.</p>, confirm: "Make ready" });
    if (sure)
        await act(() => admin.drain(member.id, draining), draining ? `${member.id} is draining` : `${member.id} is ready`, "Not done", refresh);
}

function MemberCard({ member, refresh }: { member: Member; refresh: () => void }) {
    return (
        <li class={member.draining ? "member draining" : "member"} data-testid="member" data-key={member.id}>
            <div class="member-head">
                <span class={`role ${member.role}`}>{member.role}</span>
                <h3 title={member.id}>{member.id}</h3>
                <span class={`lamp-state ${member.draining ? "warn" : "good"}`}>
                    <span class="dot" aria-hidden="true" />{member.draining ? "Draining" : "Ready"}
                </span>
            </div>
            <dl>
                <div><dt>Address</dt><dd class="mono">{member.address}</dd></div>
                <div><dt>Version</dt><dd>{member.version}</dd></div>
                <div><dt>Up for</dt><dd title={exactly(member.startedAt)}>{duration(Date.now() - Date.parse(member.startedAt))}</dd></div>
                <div><dt>{member.role === "core" ? "Connections" : "Load"}</dt><dd>{count(member.load)}</dd></div>
            </dl>
            <div class="member-foot">
                <span class="hint">{member.self ? "answers this page" : ""}</span>
                <button type="button" class="button small" data-testid="member-drain" onClick={() => void drain(member, refresh)}>
                    {member.draining ? "Make ready" : "Drain"}
                </button>
            </div>
        </li>
    );
}

export function Overview() {
    const picture = usePolled("picture", readPicture, LIVE_MS);
    const note = picture.data?.partial ? "Not of all documents: too many, or a core is silent" : undefined;
    return (
        <>
            <Head title="Overview" />
            <Answer
                of={picture}
                show={({ cluster, health, connections, documents, unstored }) => (
                    <>
                        <div class="figures">
                            <Figure label="Connections" unit="connections" samples={connections} windowMs={WINDOW_MS} write={count} />
                            <Figure label="Open documents" unit="documents" samples={documents} windowMs={WINDOW_MS} write={count} />
                            <Figure label="Not stored yet" unit="unstored" samples={unstored} windowMs={WINDOW_MS} write={bytes} note={note} />
                        </div>
                        <div class="lamps">
                            <Lamp name="Members" {...membersWords(cluster)} />
                            <Lamp name="Database" {...databaseWords(health)} />
                            <Lamp name="Redis" {...redisWords(cluster.redis)} />
                        </div>
                        <h2 class="part-title">Members</h2>
                        <ul class="members">
                            {cluster.members.map((m) => <MemberCard key={m.id} member={m} refresh={picture.refresh} />)}
                        </ul>
                        {cluster.members.length === 0 && <p class="none">The others do not know of this core yet.</p>}
                    </>
                )}
            />
            <CheckSection />
        </>
    );
}
