// One component, and a new one: read with what one may do with it, and shown by its class.
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { type Component, components, type Rights } from "../lib/components";
import { findClass, useModel } from "../lib/model";
import { navigate, paths } from "../lib/router";
import type { Session } from "../lib/session";
import { LostPage } from "../pages/lost";
import { Form } from "./form";
import { Frame } from "./frame";
import { useHold } from "./use-hold";

const NO_RIGHTS: Rights = new Set();

/** The component as it is now; `set` has what a call has answered. */
export function useComponent(category: string, id: string) {
    const [component, setComponent] = useState<Component | null>(null);
    const [rights, setRights] = useState(NO_RIGHTS);
    const [trouble, setTrouble] = useState<ApiError | null>(null);

    useEffect(() => {
        const control = new AbortController();
        Promise.all([components.get(category, id, control.signal), components.rights(category, id, control.signal)]).then(([one, may]) => {
            setRights(may);
            setComponent(one);
        }, (error: unknown) => {
            if (error instanceof ApiError && error.status !== 401)
                setTrouble(error);
        });
        return () => control.abort();
    }, [category, id]);
    const reload = () => void components.get(category, id).then(setComponent, () => {});
    return { component, rights, trouble, set: setComponent, reload };
}

export function ComponentPage({ session, category, id }: { session: Session; category: string; id: string }) {
    const { model, problem } = useModel();
    const { component, rights, trouble, set, reload } = useComponent(category, id);
    const hold = useHold(category, id, reload);

    if (trouble?.status === 404)
        return <LostPage title="This does not exist" text="It may have been deleted, or you may not read it." />;
    const ofClass = model && component ? findClass(model, category, component.data.classId) : undefined;
    const gone = model && component && !ofClass ? "Its class is no longer there." : "";
    return (
        <Frame session={session} title={component?.name ?? ""} problem={problem || trouble?.message || gone}>
            {model && component && ofClass && hold.known && (
                <Form session={session} model={model} ofClass={ofClass} rights={rights} component={component} hold={hold} onChanged={set} />
            )}
        </Frame>
    );
}

const MAY_CREATE: Rights = new Set(["CREATE"]);

export function NewPage({ session, category, classId }: { session: Session; category: string; classId: string }) {
    const { model, problem } = useModel();
    const ofClass = model ? findClass(model, category, classId) : undefined;
    const hold = useHold(category, "");

    if (model && !ofClass)
        return <LostPage title="There is no such class" text="Choose another one in the library." />;
    return (
        <Frame session={session} title="New" problem={problem}>
            {model && ofClass && (
                <Form
                    session={session}
                    model={model}
                    ofClass={ofClass}
                    rights={model.mayCreate(ofClass) ? MAY_CREATE : NO_RIGHTS}
                    component={null}
                    hold={hold}
                    onChanged={(kept) => void navigate(paths.component(kept.category, kept.id), { replace: true, force: true })}
                />
            )}
        </Frame>
    );
}
