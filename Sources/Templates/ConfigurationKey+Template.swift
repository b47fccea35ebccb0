package import Configuration

extension ConfigurationKey {
    /// The keys of a template, as docs/destinations/templates.md lists them.
    ///
    /// `settings.NAME` stands for each setting, `request` for every request, `auth` for that of the template and
    /// those of requests.
    package static let template: [ConfigurationKey] =
        templateTop + templateSettings + templateRequests + templateIdentity + templatePace
        + templateResponses

    private static let templateTop: [ConfigurationKey] = [
        ConfigurationKey("template", "id", "", "Its name, by which destinations choose it."),
        ConfigurationKey("version", "integer", "1", "Counts its editions."),
        ConfigurationKey(
            "model",
            "list | property | stream",
            "",
            "What the partner keeps: a list per cohort, a property per user, nothing."
        ),
        ConfigurationKey("transport", "http", "http", "How requests travel."),
        ConfigurationKey(
            "cadences",
            "list of on_demand, hourly, daily, realtime",
            "all",
            "How often syncs to this partner may run."
        ),
        ConfigurationKey("settings", "map", "{}", "What a destination has to say, see below."),
        ConfigurationKey(
            "base_url",
            "https URL",
            "",
            "What every path is put behind. In its host stand only settings of type host or enum; a setting "
                + "of type url may be the whole."
        ),
        ConfigurationKey(
            "headers",
            "map",
            "{}",
            "Sent with every request; one with an empty value is left out."
        ),
        ConfigurationKey(
            "auth",
            "map",
            "{kind: none}",
            "How requests prove who sends them, see below."
        ),
        ConfigurationKey("identity", "map", "", "How users are named to the partner, see below."),
        ConfigurationKey(
            "audience",
            "map",
            "none",
            "How a list is made; needed with `model: list`."
        ),
        ConfigurationKey(
            "audience.id",
            "text",
            "none",
            "The list's id where we choose it; afterwards `${audience.id}`."
        ),
        ConfigurationKey(
            "audience.ensure",
            "map",
            "none",
            "How a list is made, or found to be there."
        ),
        ConfigurationKey("audience.ensure.request", "request", "", "The request that makes it."),
        ConfigurationKey(
            "audience.ensure.id",
            "JSON pointer",
            "none",
            "Where the answer holds the id that the partner chose."
        ),
        ConfigurationKey(
            "audience.ensure.exists",
            "{status: […]}",
            "none",
            "Answers that say the list is there already."
        ),
        ConfigurationKey(
            "audience.ensure.exists.status",
            "list of statuses",
            "none",
            "Such as `[409]`."
        ),
        ConfigurationKey(
            "audience.ensure.with",
            "first_batch",
            "none",
            "The partner makes no empty lists: `ensure` carries the first users and may have a `$each`."
        ),
        ConfigurationKey(
            "audience.rename",
            "{request} | ensure",
            "none",
            "How a changed name gets there; `ensure` = the same request once more."
        ),
        ConfigurationKey("audience.rename.request", "request", "none", "The request."),
        ConfigurationKey("audience.delete", "{request}", "none", "How a list is removed."),
        ConfigurationKey("audience.delete.request", "request", "none", "The request."),
        ConfigurationKey("members", "map", "", "The requests that carry users."),
        ConfigurationKey(
            "members.change",
            "request",
            "none",
            "Users who enter and users who leave."
        ),
        ConfigurationKey(
            "members.add",
            "request",
            "none",
            "Users who enter, where these go alone."
        ),
        ConfigurationKey(
            "members.remove",
            "request",
            "none",
            "Users who leave, where these go alone."
        ),
        ConfigurationKey(
            "members.replace",
            "request",
            "none",
            "A page of a full sync. Without it a full sync is a difference like any other."
        ),
        ConfigurationKey("members.begin", "request", "none", "Sent before the first page."),
        ConfigurationKey("members.end", "request", "none", "Sent behind the last page."),
        ConfigurationKey(
            "lookup",
            "map",
            "none",
            "How ids of the partner's own are found for ours, see below."
        ),
        ConfigurationKey("lookup.request", "request", "", "Asks for ids by our ids."),
        ConfigurationKey("lookup.batch", "1 … 1000", "100", "Users of one request."),
        ConfigurationKey(
            "lookup.key",
            "JSON pointer",
            "",
            "Where the answer has our id: `/results/*/email`."
        ),
        ConfigurationKey(
            "lookup.id",
            "JSON pointer",
            "",
            "Where the same element has the partner's: `/results/*/id`."
        ),
        ConfigurationKey("lookup.ttl", "0s … 7d", "1h", "How long an id is kept in memory."),
        ConfigurationKey(
            "lookup.missing",
            "skip",
            "skip",
            "What becomes of users whom the partner does not know."
        ),
        ConfigurationKey(
            "confirm",
            "map",
            "none",
            "How the partner is asked what became of a job, see below."
        ),
        ConfigurationKey("confirm.request", "request", "", "Asks about the job `${job.id}`."),
        ConfigurationKey(
            "confirm.id",
            "JSON pointer",
            "",
            "Where an answer that is `accepted` has the job's id."
        ),
        ConfigurationKey("confirm.every", "1s … 1h", "10s", "How long to wait each time."),
        ConfigurationKey(
            "confirm.give_up",
            "1s … 1d",
            "30m",
            "After so long nobody knows what became of the users, and they are sent again."
        ),
        ConfigurationKey(
            "confirm.responses",
            "list",
            "",
            "As `responses`; `accepted` = the job is not done."
        ),
    ]

    private static let templateSettings: [ConfigurationKey] = [
        ConfigurationKey(
            "settings.NAME.type",
            "string | secret | enum | host | url | int",
            "",
            "A secret is given by reference and shown nowhere."
        ),
        ConfigurationKey("settings.NAME.required", "boolean", "false", "Whether it must be given."),
        ConfigurationKey("settings.NAME.choices", "list of texts", "[]", "The values of an enum."),
        ConfigurationKey("settings.NAME.pattern", "pattern", "none", "What the value must match."),
        ConfigurationKey(
            "settings.NAME.default",
            "text",
            "none",
            "The value where none is given; may name the cohort, as the value may."
        ),
    ]

    private static let templateRequests: [ConfigurationKey] = [
        ConfigurationKey(
            "auth.kind",
            "none | header | basic | bearer | query | body | oauth2",
            "",
            "The way."
        ),
        ConfigurationKey("auth.name", "header name", "", "With kind header."),
        ConfigurationKey("auth.value", "text", "", "With kind header."),
        ConfigurationKey("auth.user", "text", "", "With kind basic."),
        ConfigurationKey("auth.password", "text", "", "With kind basic."),
        ConfigurationKey(
            "auth.token",
            "text | map",
            "",
            "With kind bearer the token; with kind oauth2 how one is fetched, see below."
        ),
        ConfigurationKey(
            "auth.token.request",
            "request",
            "",
            "Fetches a token; sent without `headers` of the template. Takes `url` instead of `path`."
        ),
        ConfigurationKey(
            "auth.token.access_token",
            "JSON pointer",
            "/access_token",
            "Where the answer holds the token."
        ),
        ConfigurationKey(
            "auth.token.expires_in",
            "JSON pointer",
            "/expires_in",
            "Where the answer says how many seconds it lives; 10 minutes if it does not."
        ),
        ConfigurationKey(
            "auth.fields",
            "map",
            "",
            "With kind query or body: put behind those of the request."
        ),
        ConfigurationKey("request.method", "GET | POST | PUT | PATCH | DELETE", "", "The method."),
        ConfigurationKey(
            "request.path",
            "text",
            "",
            "Put behind `base_url`; values of placeholders are percent-encoded."
        ),
        ConfigurationKey(
            "request.url",
            "https URL",
            "",
            "Only in `auth.token`: instead of `base_url` and `path`, by the rules of `base_url`."
        ),
        ConfigurationKey(
            "request.query",
            "map",
            "{}",
            "Names and values; `$omit_empty` drops empty ones."
        ),
        ConfigurationKey("request.headers", "map", "{}", "Over those of the template."),
        ConfigurationKey("request.body", "tree", "none", "A JSON tree with directives, see below."),
        ConfigurationKey("request.encoding", "json | form", "json", "How the body is written."),
        ConfigurationKey(
            "request.auth",
            "map",
            "that of the template",
            "How this request proves itself."
        ),
        ConfigurationKey(
            "request.like",
            "name of a request",
            "none",
            "Only under `members`: everything that is not given is as in that request."
        ),
    ]

    private static let templateIdentity: [ConfigurationKey] = [
        ConfigurationKey(
            "identity.pick",
            "first | all | exactly_one",
            "first",
            "Which keys are sent: the first with a value, all, or the only one (else the user is left out)."
        ),
        ConfigurationKey(
            "identity.require",
            "list of key names",
            "[]",
            "One of these at least must have a value."
        ),
        ConfigurationKey(
            "identity.prehashed",
            "reject | accept",
            "reject",
            "What becomes of a value that is a hash already; it is never hashed again."
        ),
        ConfigurationKey("identity.keys", "list", "", "The keys, in order."),
        ConfigurationKey(
            "identity.keys.name",
            "text",
            "",
            "`${u.NAME}` in bodies."
        ),
        ConfigurationKey(
            "identity.keys.from",
            "user_id | device_id | props.NAME",
            "",
            "`user_id` is what the sync's `identity` chose."
        ),
        ConfigurationKey(
            "identity.keys.normalise",
            "list of steps",
            "[]",
            "Steps, in order, see below."
        ),
        ConfigurationKey(
            "identity.keys.match",
            "pattern",
            "none",
            "What the value must match behind the steps; otherwise the key has none."
        ),
        ConfigurationKey(
            "identity.keys.max_bytes",
            "1 … 65535",
            "65535",
            "Of the value before hashing."
        ),
        ConfigurationKey(
            "identity.keys.hash",
            "sha256_hex | sha256_b64 | md5_hex",
            "none",
            "The last step. What is empty is never hashed."
        ),
        ConfigurationKey(
            "identity.keys.only_if",
            "anonymous | identified",
            "none",
            "Only for users without, or with, a user id."
        ),
    ]

    private static let templatePace: [ConfigurationKey] = [
        ConfigurationKey("batch.max_items", "1 … 1000000", "1000", "Users or ids of one request."),
        ConfigurationKey("batch.max_bytes", "256B … 1GiB", "none", "Bytes of one body."),
        ConfigurationKey(
            "batch.count",
            "users | ids",
            "users",
            "What `max_items` counts; ids = all items."
        ),
        ConfigurationKey(
            "batch.mix",
            "boolean",
            "false",
            "Whether one request may carry both directions; needs `members.change`."
        ),
        ConfigurationKey("batch.linger", "0s … 1h", "0s", "How long a batch may wait to fill up."),
        ConfigurationKey("limits", "list", "[]", "No window of `per` sees more than `count`."),
        ConfigurationKey(
            "limits.scope",
            "destination | audience | user | route",
            "destination",
            "What shares the limit."
        ),
        ConfigurationKey("limits.unit", "requests | items", "", "What is counted."),
        ConfigurationKey("limits.count", "integer", "", "How many."),
        ConfigurationKey("limits.per", "1ms … 7d", "", "The window."),
        ConfigurationKey(
            "limits.headers.remaining",
            "header name",
            "none",
            "Says how many are left."
        ),
        ConfigurationKey(
            "limits.headers.reset",
            "{name, unit}",
            "none",
            "Says when the count starts anew."
        ),
        ConfigurationKey("limits.headers.reset.name", "header name", "", "The header."),
        ConfigurationKey(
            "limits.headers.reset.unit",
            "s | epoch_s | epoch_ms",
            "",
            "What its number means."
        ),
        ConfigurationKey("concurrency.max", "1 … 64", "1", "Requests at once."),
        ConfigurationKey(
            "concurrency.per_audience",
            "1 … 64",
            "concurrency.max",
            "Requests at once to one list; 1 where the partner locks it."
        ),
        ConfigurationKey(
            "concurrency.adaptive",
            "boolean",
            "false",
            "Whether the number follows how the partner bears it."
        ),
        ConfigurationKey(
            "timeout",
            "1s … 120s",
            "30s",
            "After it the outcome of a request is unknown."
        ),
        ConfigurationKey(
            "retry.initial",
            "100ms … 1h",
            "1s",
            "The bound of the first wait; doubles."
        ),
        ConfigurationKey("retry.max", "100ms … 1h", "5m", "The longest wait."),
        ConfigurationKey("retry.jitter", "full", "full", "A wait is anything up to its bound."),
        ConfigurationKey(
            "retry.window",
            "1m … 30d",
            "1d",
            "After so long the sync is shown as degraded, and tried on."
        ),
        ConfigurationKey(
            "traits.creates_users",
            "boolean",
            "false",
            "Whether users whom the partner does not know come into being."
        ),
        ConfigurationKey(
            "traits.partial",
            "ids | index | count | async | none",
            "none",
            "How much answers say about single users."
        ),
        ConfigurationKey("traits.visible_after", "text", "none", "When a change shows."),
        ConfigurationKey("traits.max_cohort", "integer", "none", "The largest list, in users."),
    ]

    private static let templateResponses: [ConfigurationKey] =
        [
            ConfigurationKey(
                "responses",
                "list",
                "",
                "What answers mean; the first rule that fits counts."
            ),
            ConfigurationKey(
                "responses.when",
                "{status, body, header}",
                "",
                "All that is given must hold."
            ),
            ConfigurationKey(
                "responses.when.status",
                "list of statuses",
                "any",
                "Such as `[200, 500-599]`."
            ),
            ConfigurationKey(
                "responses.when.body.pointer",
                "JSON pointer",
                "",
                "A place in the body."
            ),
        ]
        + tests("responses.when.body")
        + [ConfigurationKey("responses.when.header.name", "header name", "", "A header.")]
        + tests("responses.when.header")
        + [
            ConfigurationKey(
                "responses.then",
                "delivered | accepted | skip | retry | throttle | auth | gone | fatal",
                "",
                "What it means, see below."
            ),
            ConfigurationKey("responses.reason", "word", "none", "Shown in histories."),
            ConfigurationKey(
                "responses.split",
                "boolean",
                "false",
                "With skip or fatal: send halves until what is refused stands alone."
            ),
            ConfigurationKey(
                "responses.scope",
                "batch | items",
                "batch",
                "items: `then` is for the users whom `items` does not name."
            ),
            ConfigurationKey(
                "responses.items.at",
                "JSON pointer",
                "",
                "A list of elements, each about one user; `*` stands for every element on the way."
            ),
            ConfigurationKey(
                "responses.items.key",
                "id | index | pointer",
                "",
                "How an element names its user; `{index: /n}` says where in it."
            ),
            ConfigurationKey(
                "responses.items.rules",
                "list of {when, then, reason}",
                "[]",
                "What an element means; without a rule that fits: skip."
            ),
        ]
        + [
            ConfigurationKey(
                "responses.items.rules.when.pointer",
                "JSON pointer",
                "",
                "A place in the element."
            )
        ]
        + tests("responses.items.rules.when")
        + [
            ConfigurationKey(
                "responses.items.rules.then",
                "delivered | accepted | skip | retry",
                "",
                "What it means for the user."
            ),
            ConfigurationKey("responses.items.rules.reason", "word", "none", "Shown in histories."),
            ConfigurationKey(
                "responses.items.unkeyed",
                "delivered | accepted | skip | retry",
                "retry",
                "What the whole batch is where an element names no user of it."
            ),
            ConfigurationKey(
                "responses.items.reason",
                "JSON pointer",
                "none",
                "The partner's code in an element; kept where it looks like one."
            ),
            ConfigurationKey(
                "responses.count_skipped.pointer",
                "JSON pointer",
                "",
                "How many users were not taken, where the answer does not say who."
            ),
            ConfigurationKey(
                "responses.count_skipped.samples",
                "JSON pointer",
                "none",
                "Samples, which are counted and never kept."
            ),
            ConfigurationKey(
                "responses.count_skipped.reason",
                "word",
                "rejected_by_partner",
                "Shown in histories."
            ),
            ConfigurationKey(
                "responses.after.header",
                "header name",
                "",
                "Says when to come back."
            ),
            ConfigurationKey(
                "responses.after.unit",
                "s | ms | epoch_s | epoch_ms | http_date | meta_buc",
                "",
                "What it means; `s` of Retry-After may be a date too."
            ),
        ]

    private static func tests(_ path: String) -> [ConfigurationKey] {
        [
            ConfigurationKey("\(path).equals", "text", "none", "It is this."),
            ConfigurationKey("\(path).in", "list", "none", "It is one of these."),
            ConfigurationKey("\(path).matches", "pattern", "none", "The pattern is found in it."),
            ConfigurationKey("\(path).exists", "boolean", "none", "It is there, and not null."),
        ]
    }
}
