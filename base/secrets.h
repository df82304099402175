/* SPDX-License-Identifier: MIT
 * secrets: hide credentials in text that goes onto a phone.
 * A command or a file is shown to a person who decides about it; keys and passwords in it should not rest in a chat's
 * history.  Any thread; pure; time linear in the text. */
#ifndef BASE_SECRETS_H
#define BASE_SECRETS_H

#include "base/arena.h"

#define SECRET_MASK "•••"

/* s with the tail of every credential replaced by SECRET_MASK: known token forms, Bearer and Basic, passwords in URLs
 * and assignments, options of known programs, PEM private keys.  The first few characters stay, so that one can tell
 * which. What a shell would run is never hidden: a value ends at ; | & < > ( ) ` and at $ before a name.  Arena-owned;
 * s itself when there is nothing to hide.  s: valid UTF-8. */
const char *text_mask_secrets(struct arena *, const char *s);

#endif
