// What was done with a component: who, when, what. Facts of one request stand together.
import { useEffect, useState } from "preact/hooks";
import { messageOf } from "../lib/told";
import { type Component, isoOf } from "../lib/components";
import { type Model, nameOfTag } from "../lib/model";
import { type Fact, facts, FACTS_PAGE } from "../lib/past";
import { colourOf, initialsOf } from "../lib/people";
import { dayOf, exactly, timeOf } from "../lib/time";
import { joinedText } from "./values";

/** What people call what the core did; an action of somebody's own stands as it is. */
const ACTIONS: Record<string, string> = {
    CREATE: "created it", UPDATE: "changed it", DELETE: "deleted it", ADD_CONTENT: "added", DELETE_CONTENT: "removed", UPDATE_CONTENT: "changed the content",
    ANSWER: "answered it", ASSIGN: "assigned it", VERSION: "kept a version", REVERT: "went back to a version", UNLOCK: "broke a reservation",
};
const FIELDS: Record<string, string> = {
    name: "Name", assignee: "Assigned to", workflow: "Workflow", versionLabel: "Version", classId: "Class", ACL: "ACL", owner: "Owner", status: "Status",
    files: "Files", children: "Contents", attachments: "Attachments", answer: "Answer",
};

function Changes({ model, fact }: { model: Model; fact: Fact }) {
    const fields = fact.updatedFields ?? [];
    if (fields.length === 0)
        return null;
    return (
        <dl class="fact-fields">
            {fields.map((field) => (
                <div key={field.name}>
                    <dt>{FIELDS[field.name] ?? nameOfTag(model, field.name)}</dt>
                    <dd>{field.value ? joinedText(model, field.name, field.value) : <span class="faint">empty</span>}</dd>
                </div>
            ))}
        </dl>
    );
}

function One({ model, fact }: { model: Model; fact: Fact }) {
    return (
        <div class="fact-act">
            <p><strong>{fact.user}</strong> {ACTIONS[fact.action] ?? <span class="own-action">{fact.action}</span>}</p>
            {fact.description && <p class="fact-words">{fact.description}</p>}
            <Changes model={model} fact={fact} />
        </div>
    );
}

/** Neighbours of one request. */
function together(list: Fact[]): Fact[][] {
    const groups: Fact[][] = [];
    for (const fact of list) {
        const last = groups[groups.length - 1];
        if (last && fact.requestId && last[0]!.requestId === fact.requestId)
            last.push(fact);
        else
            groups.push([fact]);
    }
    return groups;
}

function byDay(list: Fact[]): [string, Fact[][]][] {
    const days = new Map<string, Fact[][]>();
    for (const group of together(list)) {
        const day = dayOf(isoOf(group[0]!.creationDate));
        days.set(day, [...days.get(day) ?? [], group]);
    }
    return [...days];
}

export function Facts({ model, component }: { model: Model; component: Component }) {
    const [list, setList] = useState<Fact[] | null>(null);
    const [more, setMore] = useState(false);
    const [problem, setProblem] = useState("");

    const read = (start: number, signal: AbortSignal) => facts.list(component.category, component.id, start, signal).then((page) => {
        setList((old) => (start > 0 ? [...old ?? [], ...page] : page));
        setMore(page.length === FACTS_PAGE);
        setProblem("");
    }, (error: unknown) => {
        if (!signal.aborted)
            setProblem(messageOf(error));
    });
    useEffect(() => {
        const control = new AbortController();
        void read(0, control.signal);
        return () => control.abort();
    }, [component.category, component.id, component.data.version]);

    if (problem)
        return <p class="problem" role="alert">{problem}</p>;
    if (list?.length === 0)
        return <p class="faint">Nothing has been told of it.</p>;
    return (
        <div class="facts" data-testid="facts">
            {byDay(list ?? []).map(([day, groups]) => (
                <section key={day}>
                    <h2>{day}</h2>
                    <ol>
                        {groups.map((group) => {
                            const first = group[0]!, at = isoOf(first.creationDate);
                            return (
                                <li key={first.id} class="fact" data-testid="fact">
                                    <span class="avatar" aria-hidden="true" ref={(e) => e?.style.setProperty("--person", colourOf(first.user))}>{initialsOf(first.user)}</span>
                                    <div>{group.map((fact) => <One key={fact.id} model={model} fact={fact} />)}</div>
                                    <time dateTime={at} title={exactly(at)}>{timeOf(at)}</time>
                                </li>
                            );
                        })}
                    </ol>
                </section>
            ))}
            {more && <button type="button" class="button more" onClick={() => void read(list!.length, new AbortController().signal)}>Show earlier</button>}
        </div>
    );
}
