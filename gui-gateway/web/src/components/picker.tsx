// Choosing components: words, and what fits them, in a dialog.
import { useEffect, useState } from "preact/hooks";
import { categoryOf } from "../lib/categories";
import { type Model, nameOfClass } from "../lib/model";
import { type Found, NEWEST, requestOf, run } from "../lib/search";
import { Store } from "../lib/store";
import { messageOf } from "../lib/told";
import { askDialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { keyOf } from "./rows";

/** Which components fit: of a category, of these classes ("*": any). */
export interface Rule { category: string; classId: string }

interface PickProps {
    model: Model;
    rules: Rule[];
    several: boolean;
    except: Set<string>; /* keys of those that are there already */
}

const TYPING_MS = 250;

function useMatches(rules: Rule[], category: string, typed: string) {
    const [state, setState] = useState<{ list: Found[] | null; found: number; problem: string }>({ list: null, found: 0, problem: "" });
    useEffect(() => {
        const control = new AbortController();
        const classes = rules.filter((rule) => rule.category === category).map((rule) => rule.classId);
        const where = classes.includes("*") ? [] : [{ field: "classid", operator: "is", values: classes }];
        const timer = setTimeout(() => {
            run(category, requestOf({ category, classId: "", text: typed.trim(), where, sort: NEWEST }), {}, control.signal).then(
                (page) => setState({ list: page.results, found: page.found, problem: "" }),
                (error: unknown) => !control.signal.aborted && setState({ list: null, found: 0, problem: messageOf(error) }));
        }, TYPING_MS);
        return () => {
            clearTimeout(timer);
            control.abort();
        };
    }, [category, typed]);
    return state;
}

function Picker({ model, rules, several, except, chosen }: PickProps & { chosen: Store<Found[]> }) {
    const categories = [...new Set(rules.map((rule) => rule.category))];
    const [category, setCategory] = useState(categories[0] ?? "DOCUMENT");
    const [typed, setTyped] = useState("");
    const [marked, setMarked] = useState<Found[]>([]);
    const { list, found, problem } = useMatches(rules, category, typed);
    const offered = list?.filter((one) => !except.has(keyOf(one)));

    const mark = (one: Found, on: boolean) => {
        const others = several ? marked.filter((other) => keyOf(other) !== keyOf(one)) : [];
        const next = on ? [...others, one] : others;
        setMarked(next);
        chosen.set(next);
    };
    return (
        <div class="picker" data-testid="picker">
            {categories.length > 1 && (
                <div class="chips" role="group" aria-label="Kind">
                    {categories.map((word) => (
                        <button key={word} type="button" class="chip" aria-pressed={word === category} onClick={() => setCategory(word)}>{categoryOf(word).many}</button>
                    ))}
                </div>
            )}
            <div class="search" role="search">
                <Icon name="search" />
                <input
                    type="search"
                    autofocus
                    placeholder="Names, tags, contents"
                    aria-label="Search for what to choose"
                    autocomplete="off"
                    value={typed}
                    data-testid="picker-search"
                    onInput={(event) => setTyped(event.currentTarget.value)}
                    onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
                />
            </div>
            {problem && <p class="problem" role="alert">{problem}</p>}
            <ul class="picks" aria-label="What fits">
                {offered?.map((one) => (
                    <li key={keyOf(one)}>
                        <label class="pick" data-testid="pick">
                            <input
                                type={several ? "checkbox" : "radio"}
                                name="pick"
                                checked={marked.some((other) => keyOf(other) === keyOf(one))}
                                onChange={(event) => mark(one, event.currentTarget.checked)}
                            />
                            <span><span class="row-title">{one.name || one.id}</span><span class="row-about">{nameOfClass(model, one.category, one.classId)} · {one.owner}</span></span>
                        </label>
                    </li>
                ))}
            </ul>
            <p class="faint" role="status">
                {offered?.length === 0 ? "Nothing that fits." : list && found > list.length ? `${found} fit: say more words to find others.` : ""}
                {marked.length > 0 && several && ` ${marked.length} chosen.`}
            </p>
        </div>
    );
}

/** Null: the person thought better of it. */
export async function pickComponents(question: PickProps & { title: string; confirm: string }): Promise<Found[] | null> {
    const chosen = new Store<Found[]>([]);
    const ready = new Store(false);
    chosen.watch((list) => ready.set(list.length > 0));
    const sure = await askDialog({
        title: question.title, confirm: question.confirm, wide: true, ready,
        body: <Picker model={question.model} rules={question.rules} several={question.several} except={question.except} chosen={chosen} />,
    });
    return sure ? chosen.get() : null;
}
