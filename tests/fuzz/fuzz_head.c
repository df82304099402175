/* SPDX-License-Identifier: MIT
 * Any bytes as a request head: nothing is read past the end, and what follows a head does not change the verdict. */
#include "bot/head.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char tail[] = "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    bool chunked, chunked_again;
    char *exact = malloc(size + 1), *longer = malloc(size + sizeof tail);
    if (!exact || !longer)
        abort();
    memcpy(exact, data, size);
    memcpy(longer, data, size);
    memcpy(longer + size, tail, sizeof tail - 1);
    const char *fault = head_fault(exact, size, &chunked);
    if (!fault) { /* the head is whole */
        const char *again = head_fault(longer, size + sizeof tail - 1, &chunked_again);
        if (again || chunked != chunked_again)
            abort();
    }
    free(exact);
    free(longer);
    return 0;
}
