// What is to be done with a task: who does it, and how it is answered. Both happen at once, not with the form.
import { useEffect, useState } from "preact/hooks";
import { type Component, isoOf, type Rights } from "../lib/components";
import { type Answer, type ComponentClass, type Model, nameOfTag } from "../lib/model";
import { called } from "../lib/names";
import type { Session } from "../lib/session";
import { tasks } from "../lib/tasks";
import { exactly } from "../lib/time";
import { messageOf } from "../lib/told";
import { teamsOf, type Who } from "../lib/who";
import { askDialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { notify, notifyError } from "../ui/toast";
import { faultsByTag } from "./draft";
import { TagField, tagsOf, type Values } from "./fields";
import { joinedText } from "./values";
import { WhoField } from "./who-field";

interface TaskProps {
    session: Session;
    model: Model;
    ofClass: ComponentClass;
    component: Component;
    rights: Rights;
    dirty: boolean;
    held: boolean; /* by somebody else */
    onChanged: (component: Component) => void;
}

const nameOfAnswer = (ofClass: ComponentClass, id: string) => called(ofClass.answers?.find((answer) => answer.id === id)?.displayNames, id);

// ---- answers ----

/** What the fields of a dialog hold, and what was wrong with them. */
interface Reasons { values: Values; faults: Map<string, string>; problem: string }

function ReasonFields({ model, answer, reasons }: { model: Model; answer: Answer; reasons: { now: Reasons; watch: (draw: () => void) => void } }) {
    const [, redraw] = useState(0);
    reasons.watch(() => redraw((n) => n + 1));
    const { values, faults, problem } = reasons.now;
    return (
        <>
            {[...(answer.reasons ?? [])].sort((a, b) => (a.order ?? 0) - (b.order ?? 0)).map((reference) => (
                <TagField
                    key={reference.tagName}
                    reference={reference}
                    within="reason"
                    tag={model.tags.get(reference.tagName)}
                    value={values.get(reference.tagName) ?? []}
                    values={values}
                    fault={faults.get(reference.tagName) ?? ""}
                    readonly={false}
                    onChange={(value) => {
                        reasons.now = { ...reasons.now, values: new Map(reasons.now.values).set(reference.tagName, value) };
                        redraw((n) => n + 1);
                    }}
                />
            ))}
            {problem && <p class="problem" role="alert">{problem}</p>}
        </>
    );
}

async function give(props: TaskProps, answer: Answer): Promise<void> {
    const { model, component, onChanged } = props;
    const name = called(answer.displayNames, answer.id);
    let draw = () => {};
    const reasons = { now: { values: new Map(), faults: new Map(), problem: "" } as Reasons, watch: (fn: () => void) => { draw = fn; } };
    await askDialog({
        title: `${name}?`, confirm: name,
        body: (
            <>
                <p>{called(answer.confirmationMessages, "An answer stays: it cannot be taken back.")}</p>
                <ReasonFields model={model} answer={answer} reasons={reasons} />
            </>
        ),
        accept: async () => {
            const tags = tagsOf(reasons.now.values);
            try {
                onChanged(await tasks.answer(component.id, answer.id, tags));
                notify("Answered.");
                return true;
            } catch (error) {
                const faults = faultsByTag(error, tags, "");
                reasons.now = { ...reasons.now, faults, problem: messageOf(error) };
                draw();
                return false;
            }
        },
    });
}

function Answered({ model, ofClass, component }: TaskProps) {
    const answer = component.answer!, at = isoOf(answer.date);
    return (
        <div data-testid="answered">
            <p><Icon name="check" /> <span><strong>{nameOfAnswer(ofClass, answer.id)}</strong>, answered by {answer.user} on <time dateTime={at}>{exactly(at)}</time></span></p>
            {(answer.tags ?? []).length > 0 && (
                <dl class="fact-fields">
                    {answer.tags!.map((tag) => <div key={tag.name}><dt>{nameOfTag(model, tag.name)}</dt><dd>{joinedText(model, tag.name, tag.value.join("§"))}</dd></div>)}
                </dl>
            )}
        </div>
    );
}

function Answers(props: TaskProps) {
    const { ofClass, rights, dirty, held } = props;
    const answers = ofClass.answers ?? [];
    if (!rights.has("APPLY_ANSWER") || answers.length === 0)
        return null;
    return (
        <div class="answers" role="group" aria-label="Answers">
            {answers.map((answer, i) => (
                <button
                    key={answer.id}
                    type="button"
                    class={i === 0 ? "button primary" : "button"}
                    disabled={dirty || held}
                    aria-describedby={dirty ? "answers-wait" : undefined}
                    data-testid={`answer-${answer.id}`}
                    onClick={() => void give(props, answer)}
                >
                    {called(answer.displayNames, answer.id)}
                </button>
            ))}
            {dirty && <span id="answers-wait" class="faint">Save your changes first.</span>}
        </div>
    );
}

// ---- who does it ----

/** The teams, and those that one is in. */
function useTeams(scope: string, user: string) {
    const [teams, setTeams] = useState({ all: [] as Who[], mine: new Set<string>() });
    useEffect(() => {
        const control = new AbortController();
        teamsOf(scope, control.signal).then((list) => setTeams({
            all: list.map((team) => ({ id: team.id, displayName: team.name ?? team.id })),
            mine: new Set(list.filter((team) => team.principals?.some((name) => name === user || name === "*")).map((team) => team.id)),
        }), () => {});
        return () => control.abort();
    }, [scope, user]);
    return teams;
}

function Whom({ teams, onInput }: { teams: Who[]; onInput: (to: string) => void }) {
    const [to, setTo] = useState("");
    return (
        <label class="field">
            <span>User, group or team</span>
            <WhoField
                autofocus
                value={to}
                more={teams}
                data-testid="assign-to"
                onInput={(value) => {
                    setTo(value);
                    onInput(value.trim());
                }}
            />
        </label>
    );
}

async function giveTo(teams: Who[], assign: (to: string) => Promise<boolean>): Promise<void> {
    let to = "";
    await askDialog({
        title: "Give it to somebody", confirm: "Give", body: <Whom teams={teams} onInput={(value) => (to = value)} />,
        accept: async () => to !== "" && assign(to),
    });
}

function Assignee({ session, component, rights, held, onChanged }: TaskProps) {
    const teams = useTeams(session.scope, session.user);
    const now = component.assignee ?? "", isMine = now === session.user;
    const isFree = now === "" || isMine || teams.mine.has(now) || session.profiles.includes(now);
    const mayTake = !isMine && (rights.has("ASSIGN") || rights.has(isFree ? "APPROPRIATE" : "APPROPRIATE_ALREADY_ASSIGNED"));
    const mayDrop = now !== "" && (rights.has("ASSIGN") || rights.has(isFree ? "APPROPRIATE" : "APPROPRIATE_ALREADY_ASSIGNED"));

    async function assign(to: string | null): Promise<boolean> {
        try {
            onChanged(await tasks.assign(component.id, to));
            notify(to === null ? "It is nobody's now." : to === session.user ? "It is yours now." : `It is ${to}'s now.`);
            return true;
        } catch (error) {
            notifyError(`Not done: ${messageOf(error)}`);
            return false;
        }
    }
    return (
        <div class="assignee">
            <p data-testid="assignee"><Icon name="person" /> <span>{now === "" ? "Nobody has taken it." : isMine ? "It is yours." : <>It is for <strong>{now}</strong>.</>}</span></p>
            {!held && !component.answer && (
                <>
                    {mayTake && <button type="button" class="button small" data-testid="task-take" onClick={() => void assign(session.user)}>Take it</button>}
                    {rights.has("ASSIGN") && <button type="button" class="button small" data-testid="task-give" onClick={() => void giveTo(teams.all, assign)}>Give to…</button>}
                    {mayDrop && <button type="button" class="button small" data-testid="task-drop" onClick={() => void assign(null)}>{isMine ? "Give back" : "Take away"}</button>}
                </>
            )}
        </div>
    );
}

export function TaskPanel(props: TaskProps) {
    return (
        <section class="card task" aria-label="The task" data-testid="task">
            {(!props.component.answer || props.component.assignee) && <Assignee {...props} />}
            {props.component.answer ? <Answered {...props} /> : <Answers {...props} />}
        </section>
    );
}
