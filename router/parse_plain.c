/* SPDX-License-Identifier: MIT
 * parse_plain: sentences that are a task without saying so: "I need to buy milk", "call the dentist", "pay rent on the
 * 1st", "dentist tomorrow at 3".  The judgement is in the verb lists: what a person does themselves is a task, what one
 * orders a machine or the world to do ("play", "order", "book", "turn off") never is.  Called last by parse.c; pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

enum { TASK_TOKENS_MAX = 32, EVENT_TOKENS_MAX = 14 };

/* Orders to the world: never written down as a task unless a reminder was asked for. */
static const char world[] =
    "play|turn|switch|shut|dim|brighten|order|book|reserve|find|search|open|stop|pause|resume|skip|next|mute|"
    "unmute|increase|decrease|raise|lower|transfer|show|tell|give|tweet|translate|navigate|drive|park|"
    "recommend|suggest|convert|calculate|google|wake|snooze|activate|deactivate|lock|unlock|arm|disarm|stream|"
    "listen|watch|say|sing|repeat|connect|disconnect|enable|disable|rate|like|subscribe|download|create|"
    "generate|draw|what|who|how|where|why|when|which|tune|set|launch|run|go back|end|shuffle|volume|louder|"
    "quieter|call yellow|call a taxi|call an uber|call uber|call a cab|call a lyft|call lyft|call me|get me|"
    "bring me|make me|buy me|send me|read me|take me|let me|help me|help|wish|roll|flip|guess|spell|define|"
    "describe|explain|get up|get out|get lost|get hourly|get news|get the news|get directions|get a taxi|"
    "get a ride|get weather|check the weather|check weather|check the news|check traffic|check my email|"
    "check my mail|check my balance|check the time|check the score|check the stock|read the news|read news|"
    "start playlist|start music|start playing|start the|put some|put on|put music|put the lights|"
    "make the lights|make it|make a call|make a joke|make some|do you|do nothing|do it|do that|do not|do nine|"
    "keep|change the song|change the channel|change the color|change the colour|change the lights|"
    "change the volume|change song|change channel|change the station|change language|clean the house robot|"
    "take a picture|take a photo|take a selfie|take a screenshot|send a hi|send a message|send an email|"
    "send a text|send email|send message|send money|write an email|write me|write a poem|write a story|"
    "write a song|pay attention|return to|go ahead|go away|go on|start over|have|be|review the movie|"
    "call back later|call 911|call the police|call an ambulance|add|remove|delete|erase|forget|ignore|wait|"
    "come|look|think|post|upload a|update your|update yourself|update the app|record|film|charge my account|"
    "vacuum the floor now|brew|dispense|adjust|sync|reboot|restart|reset|cancel my account|report the|"
    "fetch the news|print|save|cancel my reservation|cancel my order|cancel my flight|cancel the order|"
    "make a reservation|make reservation|make reservations|make a dinner reservation|make a lunch reservation|"
    "make dinner reservations|make me|start";

/* What people do themselves; sure even without a date. */
static const char strong[] =
    "buy|call|phone|ring|pay|pick up|pick|clean|wash|finish|submit|renew|return|fix|repair|feed|vacuum|mop|"
    "sweep|dust|tidy|mow|iron|fold|take out|drop off|walk the dog|walk dog|write|prepare|prep|study|pack|"
    "unpack|bake|cook|refill|replace|mail|hand in|do the laundry|do laundry|do the dishes|do dishes|do taxes|"
    "do my taxes|do the taxes|do homework|do my homework|do the shopping|do groceries|do grocery|"
    "do the groceries|take the trash|take the bins|take the car|take the dog|take meds|take my meds|"
    "take medicine|take my medicine|take vitamins|get milk|get bread|get eggs|get groceries|get gas|"
    "get stamps|get a haircut|get haircut|get cash|get food|get butter|get coffee|get oil|get the car|"
    "get a gift|get a present|get flowers|get batteries|get tickets|wrap|declutter|organize|organise|assemble|"
    "defrost|shovel|rake|trim|donate|ship|sign|make dentist|make a dentist|make an appointment|make a doctor|"
    "make doctor|make appointment|follow up|apply for|apply|register for|register|send invoice|"
    "send the invoice|send the report|send report|rsvp|back up|backup|research|scan|sew|hang|recycle|"
    "return the|descale|grease|patch|weed|plant|paint|empty the|bring the|change the bed|change the sheets|"
    "change sheets|change the filter|change filters|change the oil|change oil|change the litter|"
    "change the cat|change lightbulb|change the light bulb|change bulb|file taxes|file the|file my|water the|"
    "water my|water plants|water flowers|water garden|water lawn|water our|water herbs|water tomatoes";

/* Ambiguous as an order; a date or an obligation ("I need to …") makes them sure. */
static const char weak[] =
    "get|take|make|do|send|bring|change|check|go to|go|see|read|ask|put|move|email|text|message|reply|respond|"
    "answer|contact|visit|meet|attend|plan|review|update|learn|practice|practise|work on|work|try|collect|"
    "fetch|drop|deposit|withdraw|install|charge|cancel|confirm|arrange|hire|sort|sell|file|invite|thank|"
    "discuss|present|compare|talk to|speak to|speak with|talk with|catch|pull|walk|exercise|train|run errands|"
    "meditate|stretch|swim|workout|work out|hit the gym|give the|give|tell mom|tell dad|empty|lock the door|"
    "turn in|hand|build|measure|edit|proofread|test|deploy|merge|release|publish|set up|order more|finalize|"
    "finalise|wrap up|complete|close the|open a bank|leave for|leave|host|celebrate|congratulate|"
    "watch the kids|babysit|dye|shave|moisturize|journal|call|prepare for|interview|skype|zoom|facetime|drink|"
    "eat|weigh|pray|rest|relax|cut|shop|shop for|grab|pickup|dropoff|upload|print|download the|record the|"
    "post the|stop by|swing by|come|join|revise|memorize|translate the|rehearse|restock|transfer rent|reorder|"
    "rebook|reschedule|book the|book a table|book dentist|book a dentist|book hotel|marinate|thaw|air|bathe|"
    "groom|bury|fill|fill out|fill in|fill up|top up|throw out|throw away|put away|put up|turn over|check in|"
    "check out|sign up|lay out|nail|trash|dispose|mount|inspect|grade|mark exams|watch|schedule";

/* Events: a noun that with a day or an hour is worth a task. */
static const char events[] =
    "appointment|appt|meeting|dentist|doctor|doctors|doctor's|exam|test|quiz|birthday|bday|anniversary|interview|"
    "deadline|flight|dinner|lunch|brunch|party|class|lesson|rent|bill|bills|haircut|vet|"
    "wedding|concert|conference|checkup|check-up|standup|stand-up|recital|graduation|webinar|workshop|presentation|"
    "therapy|practice|rehearsal|reservation|viewing|inspection|delivery|laundry|"
    "homework|assignment|essay|taxes|invoice|report|groceries|session|call|sync|demo|review|physio|gym|yoga|training|"
    "meetup|match|game|hairdresser|barber|optician|orthodontist|mechanic|physiotherapist|"
    "funeral|ceremony|seminar|lecture|tutorial|parents|kickoff|retro|1:1|one-on-one|vaccination|vaccine|mri|x-ray|"
    "surgery|scan|visa|passport|trash|bins|garbage|recycling|coffee|drinks|bbq|barbecue|picnic|sleepover";

static bool statement(const struct sentence *s, struct span span)
{
    /* "call was great", "check engine light is on" */
    for (int i = span.begin + 1; i < span.begin + 5 && i < span.end; i++)
        if (token_any(words_at(s->words, i),
                      "is|was|were|are|has|had|went|been|will|isn't|wasn't|felt|looks|seems|sucks|did|gave|got") &&
            !parse_has(s, (struct span){ span.begin + 1, i },
                       "if|that|whether|what|who|when|which|where|how|because|sure|after|before|while"))
            return true;
    return false;
}

static bool shady(const struct sentence *s, struct span span)
{
    return parse_has(
        s, span,
        "shares|stock|stocks|bitcoin|crypto|ethereum|playlist|spotify|netflix|youtube|alexa|siri|temperature|"
        "thermostat|lights|lamp|volume|"
        "speaker|cell|voicemail|checking|savings|podcast|song|songs|radio|uber|lyft|taxi|cab|alarm|timer|joke|weather|"
        "tweet|facebook|twitter|instagram");
}

static enum route write_task(struct sentence *s, struct span span, const struct due *due)
{
    struct span category = { 0, 0 };
    if (span.end - span.begin >= 3 && token_punct(words_at(s->words, span.end - 2), "#") &&
        words_at(s->words, span.end - 1)->kind == TOKEN_WORD) {
        category = (struct span){ span.end - 1, span.end };
        span.end -= 2;
    }
    const char *content = parse_content(s, span, due);
    if (!*content)
        return ROUTE_NO;
    struct json_object *arguments = parse_call(s, "add_task");
    if (!arguments)
        return ROUTE_NEVER;
    json_set_str(arguments, "content", content);
    const char *name = parse_category(s, category);
    if (name)
        json_set_str(arguments, "category", name);
    parse_set_due(s, arguments, due, "due_date");
    return ROUTE_DONE;
}

/* Where the words begin behind a date that opens the sentence: "tomorrow buy bread", "at 5pm, call mom". */
static int behind_date(const struct sentence *s, struct span span, const struct due *due)
{
    int begin = span.begin;
    for (int k = 0; k < due->cuts; k++)
        if (due->cut[k].begin == begin)
            begin = due->cut[k].end;
    while (begin < span.end && token_punct(words_at(s->words, begin), ",:-"))
        begin++;
    return begin;
}

static const char duties[] = "i need to|i have to|i must|i've got to|i have got to|i gotta|i got to|i'm supposed to|i "
                             "am supposed to|we need to|we have to|we must|need to|have to|gotta|must|got to|"
                             "i still need to|i still have to|i also need to|i also have to|i really need to|i really "
                             "have to|i ought to|i'll need to|i will need to|i'll have to|i will have to|"
                             "i need to go|i have to go|i need to remember to|we gotta|i'd better|i had better|have "
                             "got to|i want to make sure to";
static const char intentions[] = "i should|i should probably|i should really|i really should|i probably should";

/* "I need to …": sure with any verb of a person's own; "I should …" only with a day. */
static enum route obligation(struct sentence *s, struct span span)
{
    struct due due;
    parse_due(s, span, false, &due);
    struct span rest = { behind_date(s, span, &due), span.end };
    int duty = parse_verb(s, rest, duties), intention = parse_verb(s, rest, intentions);
    if (!duty && !intention)
        return ROUTE_NO;
    rest.begin += duty > intention ? duty : intention;
    rest.begin +=
        parse_verb(s, rest, "really|also|still|definitely|probably|just|urgently|quickly|finally|actually|remember to");
    bool go = token_is(words_at(s->words, rest.begin - 1), "go");
    if (parse_verb(s, rest, world) && !parse_verb(s, rest, strong))
        return ROUTE_NEVER;
    bool own = parse_verb(s, rest, strong) > 0, may = parse_verb(s, rest, weak) > 0 || go;
    if (parse_verb(s, rest,
                   "go|leave|eat|rest|relax|pray|start|stop|come|be|talk to you|speak to you|ask you|answer|see a|see "
                   "the|work out|do it|do that|do something|do better|do more|do this|try") &&
        !own && !due.found)
        return ROUTE_NO;
    if (!(own || (may && (duty || due.found))) || (!duty && !due.found) || (intention > duty && !due.found) ||
        shady(s, rest) || parse_has(s, rest, "you|your|yourself") || rest.begin >= rest.end)
        return ROUTE_NO;
    if (token_is(words_at(s->words, rest.begin), "go") && !due.found)
        return ROUTE_NO;
    if (parse_unreal(s, rest) && parse_has(s, rest, "if|wish|never"))
        return ROUTE_NO;
    if (rest.end - rest.begin < 2 && !due.found)
        return ROUTE_NO; /* "I need to clean" */
    struct due inside = due;
    inside.cuts = 0;
    for (int k = 0; k < due.cuts; k++)
        if (due.cut[k].begin >= rest.begin)
            inside.cut[inside.cuts++] = due.cut[k];
    inside.found = due.found;
    if (go)
        rest.begin--;
    return write_task(s, rest, &inside);
}

static enum route imperative(struct sentence *s, struct span span)
{
    struct due due;
    if (s->asked || s->question || span.end - span.begin > TASK_TOKENS_MAX)
        return ROUTE_NO;
    parse_due(s, span, false, &due);
    struct span rest = { behind_date(s, span, &due), span.end };
    rest.begin += parse_verb(s, rest, "please|i need|kindly|urgent|urgently|asap|important|todo|to");
    int own = parse_verb(s, rest, strong), order = parse_verb(s, rest, world), may = parse_verb(s, rest, weak);
    if (order && order >= own && order >= may)
        return ROUTE_NEVER;
    if ((!own && !may) || statement(s, rest) || shady(s, rest))
        return ROUTE_NO;
    if (parse_has(s, (struct span){ rest.begin + 1, rest.begin + 2 }, "me|you|it|them|him|her|this|that|us|off|on") &&
        (!due.found || parse_has(s, (struct span){ rest.begin + 1, rest.begin + 2 }, "me|us|you")))
        return ROUTE_NO;
    if (!own && !due.found)
        return ROUTE_NO;
    if (own == 1 && !due.found && rest.end - rest.begin < 2)
        return ROUTE_NO; /* "call", "clean" */
    if (parse_has(s, rest, "if|unless|yourself|your|you"))
        return ROUTE_NO;
    if (due.found) /* what is scheduled is the meeting */
        rest.begin += parse_verb(s, rest, "schedule a|schedule an|schedule my|schedule the|schedule");
    struct due inside = due;
    if (rest.begin > span.begin) {
        inside.cuts = 0;
        for (int k = 0; k < due.cuts; k++)
            if (due.cut[k].begin >= rest.begin)
                inside.cut[inside.cuts++] = due.cut[k];
    }
    return write_task(s, rest, &inside);
}

/* "dentist tomorrow at 3", "i have a meeting with tom on friday". */
static enum route event(struct sentence *s, struct span span)
{
    struct due due;
    if (s->asked || s->question || span.end - span.begin > EVENT_TOKENS_MAX)
        return ROUTE_NO;
    parse_due(s, span, false, &due);
    if (!due.found || due.repeat || statement(s, span))
        return ROUTE_NO;
    struct span rest = { behind_date(s, span, &due), span.end };
    rest.begin += parse_verb(s, rest,
                             "i have a|i have an|i have my|i have|i've got a|i've got an|i've got|we have a|we have "
                             "an|we have|there's a|there is a|there's|i have to go to the");
    static const char verbs[] =
        "is|was|were|are|went|had|did|i|you|he|she|they|we|cancelled|canceled|moved|could|would|should|can|will|not|"
        "don't|love|hate|like|want|need|"
        "closes|opens|stops|runs|me|us|alert|notify|leaves|starts|ends|begins|departs|lands|arrives|takes|lasts|how|"
        "what|when|where|who|why|if|than|maybe|perhaps|"
        "possibly|might|no|forecast|weather|news|traffic|score|best|cheapest|happy|good|nice|great|booked|tickets";
    if (parse_has(s, rest, verbs) || !parse_has(s, rest, events) || shady(s, rest))
        return ROUTE_NO;
    struct due inside = due;
    if (rest.begin > span.begin) {
        inside.cuts = 0;
        for (int k = 0; k < due.cuts; k++)
            if (due.cut[k].begin >= rest.begin)
                inside.cut[inside.cuts++] = due.cut[k];
    }
    return write_task(s, rest, &inside);
}

enum route parse_plain(struct sentence *s, struct span span)
{
    if (parse_is_question(s, span) &&
        !parse_verb(s, span, "have to|do the|do my|do laundry|do dishes|do taxes|do homework|do groceries|do grocery"))
        return ROUTE_NO;
    enum route route = obligation(s, span);
    if (route == ROUTE_NO)
        route = imperative(s, span);
    return route == ROUTE_NO ? event(s, span) : route;
}
