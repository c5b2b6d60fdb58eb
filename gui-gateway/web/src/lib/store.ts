// A value that parts of the page watch. Small on purpose: one value, one change, everybody told.
import { useEffect, useState } from "preact/hooks";

export class Store<T> {
    private readonly watchers = new Set<(value: T) => void>();

    constructor(private value: T) {}

    get(): T {
        return this.value;
    }

    set(value: T): void {
        if (Object.is(value, this.value))
            return;
        this.value = value;
        for (const watcher of [...this.watchers])
            watcher(value);
    }

    /** Returns the function that ends the watching. */
    watch(watcher: (value: T) => void): () => void {
        this.watchers.add(watcher);
        return () => this.watchers.delete(watcher);
    }
}

/** Changes some fields of an object in a store; says nothing when they are the same. */
export function patch<T extends object>(store: Store<T>, change: Partial<T>): void {
    const old = store.get();
    const keys = Object.keys(change) as (keyof T)[];
    if (keys.some((key) => !Object.is(old[key], change[key])))
        store.set({ ...old, ...change });
}

export function useStore<T>(store: Store<T>): T {
    const [value, setValue] = useState(() => store.get());
    useEffect(() => {
        setValue(() => store.get());
        return store.watch((next) => setValue(() => next));
    }, [store]);
    return value;
}
