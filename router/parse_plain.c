/* SPDX-License-Identifier: MIT
 * parse_plain: sentences that are a task without saying so: "I need to buy milk", "call the dentist", "pay rent on the
 * 1st", "dentist tomorrow at 3".  The judgement is in the verb lists: what a person does themselves is a task, what one
 * orders a machine or the world to do ("play", "order", "book", "turn off") never is.  Called last by parse.c; pure. */
#include "router/parse_scan.h"
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
    "bring me|make me|buy me|send me|read me|take me|let me|help me|help|roll|flip|guess|spell|define|"
    "describe|explain|get up|get out|get lost|get hourly|get news|get the news|get directions|get a taxi|"
    "get a ride|get weather|check the weather|check weather|check the news|check traffic|check my email|"
    "check my mail|check my balance|check the time|check the score|check the stock|read the news|read news|"
    "start playlist|start music|start playing|start the|put some|put on|put music|put the lights|"
    "make the lights|make it|make a call|make a joke|make some|do you|do nothing|do it|do that|do nine|"
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
    "do the groceries|do the washing|do the ironing|do the hoovering|do the vacuuming|do the cleaning|do the gardening|"
    "do the chores|do the garden|do the bins|do the shop|do the food|do my washing|do my laundry|do my "
    "ironing|do my shopping|do my expenses|do the expenses|do the accounts|do my tax|do the tax|do some cleaning|do "
    "some shopping|do some laundry|do some gardening|do some ironing|do some washing|do some tidying|do some "
    "housework|do some admin|do some weeding|do some baking|hoover|sort out|"
    "hang up|put up|top up|fill in the form|fill out the form|charge the|charge "
    "my|wipe|scrub|polish|bleed|unblock|collect the|collect my|collect parcel|collect prescription|sharpen|"
    "look into|figure out|decide on|think about|work out the|drop kids|drop the kids|put petrol|put fuel|put the bins|"
    "put bins|put the washing|put washing|put the rubbish|book dentist|book a dentist|book the dentist|book doctor|"
    "book a doctor|book the doctor|book vet|book a vet|book the vet|book a haircut|book haircut|book my|book mot|"
    "book the car|book car|book optician|take the trash|take the bins|take the car|take the dog|take meds|take my meds|"
    "take medicine|take my medicine|take vitamins|"
    "get a haircut|get haircut|get the car|"
    "get a gift|get a present|get tickets|wrap|declutter|organize|organise|assemble|"
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
    "turn in|hand|build|measure|edit|proofread|test|deploy|merge|release|publish|wish|set up|order more|finalize|"
    "finalise|wrap up|complete|close the|open a bank|leave for|leave|host|celebrate|congratulate|"
    "watch the kids|babysit|dye|shave|moisturize|journal|call|prepare for|interview|skype|zoom|facetime|drink|"
    "eat|weigh|pray|rest|relax|cut|shop|shop for|grab|pickup|dropoff|upload|print|download the|record the|"
    "post the|stop by|swing by|pencil in|come|join|revise|memorize|translate the|rehearse|restock|transfer "
    "rent|reorder|"
    "rebook|reschedule|book the|book a table|book dentist|book a dentist|book hotel|marinate|thaw|air|bathe|"
    "groom|bury|fill|fill out|fill in|fill up|top up|throw out|throw away|put away|put up|turn over|check in|"
    "check out|sign up|lay out|nail|trash|dispose|mount|inspect|grade|mark exams|watch|schedule";

/* Events: a noun that with a day or an hour is worth a task. */
static const char events[] =
    "appointment|meeting|dentist|doctor|doctors|doctor's|exam|test|quiz|birthday|bday|anniversary|interview|"
    "deadline|flight|dinner|lunch|brunch|party|class|lesson|rent|bill|bills|haircut|vet|wedding|concert|conference|"
    "checkup|standup|recital|graduation|webinar|workshop|presentation|therapy|practice|rehearsal|reservation|"
    "viewing|inspection|delivery|laundry|homework|assignment|essay|taxes|invoice|report|groceries|session|call|sync|"
    "demo|review|physio|gym|yoga|training|meetup|match|game|hairdresser|barber|optician|orthodontist|mechanic|"
    "physiotherapist|funeral|ceremony|seminar|lecture|tutorial|parents|kickoff|retro|vaccination|vaccine|mri|"
    "surgery|scan|visa|passport|trash|bins|garbage|recycling|coffee|drinks|bbq|barbecue|picnic|sleepover|"
    "appointments|meetings|reunion|fitting|tasting|induction|orientation|audition|playdate|hearing|mot|jab|filling|"
    "cleaning|massage|facial|manicure|pedicure|football|tennis|swimming|ballet|choir|church|karate|scouts|pickup|"
    "gig|theatre|cinema|catchup|offsite|townhall|hackathon|assembly|christening|baptism|shower|handover";

/* What is bought: "need milk", "get petrol on the way home" are errands, "need help" is not. */
static const char goods[] =
    "milk|bread|eggs|butter|cheese|cream|yoghurt|yogurt|coffee|tea|sugar|salt|pepper|flour|rice|pasta|cereal|oats|oil|"
    "vinegar|honey|jam|juice|beer|wine|meat|chicken|beef|fish|ham|bacon|tofu|potatoes|onions|tomatoes|carrots|lettuce|"
    "cucumber|garlic|apples|bananas|oranges|lemons|limes|grapes|berries|fruit|veg|vegetables|groceries|food|nappies|"
    "diapers|wipes|tissues|soap|shampoo|toothpaste|detergent|stamps|envelopes|batteries|candles|lightbulbs|flowers|"
    "petrol|diesel|gas|fuel|cash|paracetamol|ibuprofen|aspirin|plasters|cat food|dog food|toilet paper|loo roll|"
    "kitchen roll|bin bags|oat milk|soy milk|soya milk|olive oil";

/* Do the words name goods, or a few words in front of them? */
static bool names_goods(const struct sentence *s, struct span span)
{
    span.begin += parse_verb(s, span, "some|more|some more|a|an|new|the|a few");
    return parse_verb(s, span, goods) > 0;
}

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
    return parse_put_task(s, content, category, due);
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
/* With a day or an hour these are plans; a wish ("want to") also needs a verb of the person's own. */
static const char intentions[] = "i should|i should probably|i should really|i really should|i probably should";
static const char wishes[] = "i want to|want to|i'd like to|i would like to|planning to|i'm planning to|i plan "
                             "to|i'll|i will|i'm going to|i am going to|hoping to|we should";

/* Is this a deed of the person's own?  Without a date only sure verbs are. */
static bool own_deed(const struct sentence *s, struct span deed, bool duty, bool wish, bool dated)
{
    static const char vague[] =
        "go|leave|eat|rest|relax|pray|start|stop|come|be|talk to you|speak to you|ask you|"
        "answer|see a|see the|work out|do it|do that|do something|do better|do more|do this|try";
    static const char present[] = "be at|be in|be on|be there|be home|be back|be ready|be up|be out";
    if (parse_verb(s, deed, strong))
        return dated || deed.end - deed.begin > 1; /* not "I need to clean" */
    if (duty && dated && parse_verb(s, deed, present))
        return true;
    if (wish || parse_verb(s, deed, world) || (!dated && parse_verb(s, deed, vague)))
        return false;
    return parse_verb(s, deed, weak) > 0 || token_is(words_at(s->words, deed.begin - 1), "go");
}

/* "I need to …": sure with any verb of a person's own; "I should …", "I want to …" only with a day. */
static enum route obligation(struct sentence *s, struct span span)
{
    struct due due;
    parse_due(s, span, false, &due);
    struct span rest = { behind_date(s, span, &due), span.end };
    int duty = parse_verb(s, rest, duties), intention = parse_verb(s, rest, intentions),
        wish = parse_verb(s, rest, wishes), lead = duty;
    lead = intention > lead ? intention : lead;
    lead = wish > lead ? wish : lead;
    if (!lead || (lead > duty && !due.found))
        return ROUTE_NO;
    rest.begin += lead;
    rest.begin +=
        parse_verb(s, rest, "really|also|still|definitely|probably|just|urgently|quickly|finally|actually|remember to");
    bool own = own_deed(s, rest, duty == lead, wish == lead, due.found);
    if (!own && parse_verb(s, rest, world))
        return ROUTE_NEVER;
    if (!own || shady(s, rest) || parse_has(s, rest, "you|your|yourself|if|wish|never") || rest.begin >= rest.end)
        return ROUTE_NO;
    struct due inside = parse_due_from(&due, rest.begin);
    rest.begin -= token_is(words_at(s->words, rest.begin - 1), "go");
    return write_task(s, rest, &inside);
}

/* "make task 3 …" is about a task that is there, in words nobody knows; "buy item 2" is not. */
static bool numbered(const struct sentence *s, struct span span)
{
    int64_t id;
    for (int i = span.begin; i < span.end; i++) {
        const struct token *t = words_at(s->words, i);
        if ((token_any(t, "task|todo|reminder") || token_punct(t, "#")) &&
            pattern_id(s->words, i, span.end, false, &id))
            return true;
    }
    return false;
}

/* Tokens of "need" in front of goods and nothing but goods ("need milk and eggs"); "we need milk" only tells. */
static int lacking(const struct sentence *s, struct span span, const struct due *due)
{
    int n = parse_verb(s, span, "need|need to get");
    int end = due->cuts && due->cut[0].end == span.end ? due->cut[0].begin : span.end;
    bool closed = parse_verb(s, (struct span){ end - 1, end }, goods) == 1 ||
                  parse_verb(s, (struct span){ end - 2, end }, goods) == 2;
    return n && closed && names_goods(s, (struct span){ span.begin + n, end }) ? n : 0;
}

/* Is this something the person does, and said so that it can only be a task? */
static bool sure_deed(const struct sentence *s, struct span deed, bool dated, bool *order)
{
    int own = parse_verb(s, deed, strong), ordered = parse_verb(s, deed, world), may = parse_verb(s, deed, weak);
    if (token_any(words_at(s->words, deed.begin), "get|grab|fetch") &&
        names_goods(s, (struct span){ deed.begin + 1, deed.end }))
        own = own > 2 ? own : 2;
    *order = ordered && ordered >= own && ordered >= may;
    struct span object = { deed.begin + 1, deed.begin + 2 };
    if (*order || !(own || (may && dated)) || statement(s, deed) || shady(s, deed) || numbered(s, deed))
        return false;
    if (parse_has(s, object, "it|that|this|them") &&
        token_any(words_at(s->words, deed.begin), "make|change|move|set|push"))
        return false; /* "make that 5pm" corrects something */
    if (parse_has(s, object, "me|us|you") || (!dated && parse_has(s, object, "it|them|him|her|this|that|off|on")))
        return false;
    return !parse_has(s, deed, "if|unless|yourself|your|you") &&
           (own != 1 || dated || deed.end - deed.begin > 1); /* not "call", "clean" */
}

static enum route imperative(struct sentence *s, struct span span)
{
    struct due due;
    bool order = false;
    if (s->asked || s->question || span.end - span.begin > TASK_TOKENS_MAX)
        return ROUTE_NO;
    parse_due(s, span, false, &due);
    struct span rest = { behind_date(s, span, &due), span.end };
    int lack = lacking(s, rest, &due);
    rest.begin += lack ? lack : parse_verb(s, rest, "please|i need|kindly|urgent|urgently|asap|important|todo|to");
    if (!lack && !sure_deed(s, rest, due.found, &order))
        return order ? ROUTE_NEVER : ROUTE_NO;
    if (due.found) /* what is scheduled is the meeting */
        rest.begin +=
            parse_verb(s, rest, "schedule a|schedule an|schedule my|schedule the|schedule|pencil in a|pencil in");
    struct due inside = parse_due_from(&due, rest.begin);
    return write_task(s, rest, &inside);
}

/* "completed the essay in 2 hours": a first word in the past tense. */
static bool reports_deed(const struct token *t)
{
    size_t n = strlen(t->text);
    return t->kind == TOKEN_WORD && n >= 5 && strcmp(t->text + n - 2, "ed") == 0 && !token_any(t, "speed");
}

/* "lunch with tom this morning" tells what has been. */
static bool over(const struct sentence *s, const struct due *due)
{
    return due->at.hour >= 0 && civil_compare(&due->at, &s->options->now) < 0;
}

/* "dentist tomorrow at 3", "i have a meeting with tom on friday". */
static enum route event(struct sentence *s, struct span span)
{
    struct due due;
    if (s->asked || s->question || span.end - span.begin > EVENT_TOKENS_MAX)
        return ROUTE_NO;
    parse_due(s, span, false, &due);
    if (!due.found || due.repeat || over(s, &due))
        return ROUTE_NO;
    struct span rest = { behind_date(s, span, &due), span.end };
    rest.begin += parse_verb(
        s, rest,
        "i'm|i am|we're|we are|i have a|i have an|i have my|i have|i've got a|i've got an|i've got|i have got a|i have "
        "got an|i have got my|we have a|we have an|we have|we've got a|we've got|there's a|there "
        "is a|there's an|there is an|there's|i have to go to the|i got a|got a|got an|got my");
    static const char verbs[] =
        "is|was|were|are|went|had|did|i|i'll|i'd|said|says|told|thinks|asked|you|he|she|they|we|cancelled|canceled|"
        "moved|could|would|should|can|will|not|"
        "don't|love|hate|like|want|need|"
        "closes|opens|stops|runs|me|us|alert|notify|leaves|starts|ends|begins|departs|lands|arrives|takes|lasts|how|"
        "what|when|where|who|why|if|than|maybe|perhaps|"
        "possibly|might|no|forecast|weather|news|traffic|score|best|cheapest|happy|good|nice|great|booked|tickets";
    if (statement(s, rest) || reports_deed(words_at(s->words, rest.begin)) || parse_has(s, rest, verbs) ||
        !parse_has(s, rest, events) || shady(s, rest))
        return ROUTE_NO;
    struct due inside = parse_due_from(&due, rest.begin);
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
