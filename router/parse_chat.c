/* SPDX-License-Identifier: MIT
 * parse_chat: greetings, thanks, yes and no, farewells, jokes.  Whole-sentence patterns; called by parse.c; pure. */
#include "router/parse_scan.h"

static const char *const chat[] = {
    "(hi / hello / hey / hiya / yo / heya / howdy / greetings / sup / hey hey) [there / steward / olly / bot / buddy / "
    "you / again / everyone] [you]",
    "hey|hi|hello hey|hi|there|hello [there]",
    "good (morning / afternoon / evening / night / day / to see you / to meet you / bye / one / job / work / bot / "
    "idea / point / talk)",
    "morning|evening|afternoon|gm|gn [all / steward]",
    "(bye / goodbye / good bye / cya / farewell / later / see you / see you later / talk later / talk to you "
    "later / ttyl / take care / so long / "
    "have a good|nice|great day|one|night|evening|weekend / enjoy your day|evening|weekend / sleep well / night night) "
    "{1?}",
    "(thanks / thank you / cheers / ty / tysm  / much appreciated / appreciate it / i appreciate it / many "
    "thanks) {1?}",
    "i would like to thank you {1?}",
    "i (want / wanted / just wanted) to (thank you / say hi / say hello / say thanks) {1?}",
    "(yes / yeah / yep / yup / sure / of course / ok / okay / k / kk / no / nope / nah / maybe / perhaps / right / "
    "exactly / correct / fine / cool / great / "
    "nice / awesome / perfect / wow / lol / haha / hahaha / good / very good / not bad / absolutely / definitely / "
    "certainly / indeed / true / false / wrong / "
    "never / hmm / oh / alright / all right / no problem / no worries / you're welcome / welcome / sorry / my bad / "
    "oops / well done / excellent / amazing / "
    "it seems so / it seems not / i think so / i don't think so / i guess / i guess so / i guess not / i don't know / "
    "not sure / couldn't tell you / "
    "that's right / that's wrong / that is right / that's fine / that's all / that's it / nothing / nothing else / "
    "never mind / nevermind / got it / i see / understood / "
    "sounds good / works for me / for sure / not really / no thanks / no thank you / stop / cancel / nope thanks / "
    "please do / go on / continue / brb / omg)"
    " [please / thanks / thank you / sir / then / yes / no / ok / man / bro / sure]",
    "(how are you / how are you doing / how are things / how is it going / how's it going / how do you do / what's up "
    "/ how about you / and you / "
    "how have you been / how was your day / how's your day / how is your day / you ok / are you ok / are you there / "
    "you there / are you real / so are you real / "
    "are you human|alive|a|an|listening|awake|happy|real|sentient|ok|ai|chatgpt / do you "
    "like|love|hate|dream|feel|sleep|eat|have|speak / who are you / what are you / who made you / "
    "who created you / where are you from / how old are you / what's your name / what is your name / what do you feel "
    "/ what can you do / what do you do) {1?}",
    "(your / you) (answer / response / reply / are / were / look / did / sound) [was / is] [a / so / very / really] "
    "(good / great / nice / wrong / bad / awesome / amazing / the best / "
    "funny / smart / stupid / cute / welcome / helpful / useless / well) {1?}",
    "(tell / say / give / know / hear / need / want / make) [me / us] [a / another / some] [nice / good / funny / new "
    "/ bad / dad] (joke / jokes / laugh) {1?}",
    "{1} tell me a joke",
    "i (want / need / would like / like) [to] [hear / know] [a / some] [nice / good / funny] (joke / jokes) {1?}",
    "i (love / hate / like / miss) you {1?}",
    "i'm|i am (bored / tired / fine / good / ok / okay / happy / sad / back / here / home / hungry / stressed / sick / "
    "exhausted / lonely / great / well / sorry / busy / confused) {1?}",
    "(please) specify {1}",
    "test|testing [test / testing / 1 / one] [2] [3]",
    "talk later",
};

enum route parse_chat(struct sentence *s, struct span span)
{
    struct match m;
    if (span.begin >= span.end)
        return ROUTE_NO;
    if (span.end - span.begin > 14)
        return ROUTE_NO;
    for (size_t i = 0; i < sizeof chat / sizeof *chat; i++)
        if (pattern_match(s->words, span, chat[i], &m))
            return m.capture[1].end - m.capture[1].begin > 8 ? ROUTE_NO : ROUTE_CHAT;
    for (int i = span.begin; i < span.end; i++) /* emoji alone */
        if (words_at(s->words, i)->kind == TOKEN_WORD || words_at(s->words, i)->kind == TOKEN_NUMBER)
            return ROUTE_NO;
    return ROUTE_CHAT;
}
