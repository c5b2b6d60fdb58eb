// Whether the open document holds changes that the server has not acknowledged.
// The editor tells; the header asks, without loading the editor.
let ask: () => boolean = () => false;

export const dirtyDocument = () => ask();

/** Returns the function that withdraws the answer. */
export function answerDirty(answer: () => boolean): () => void {
    ask = answer;
    return () => {
        if (ask === answer)
            ask = () => false;
    };
}
