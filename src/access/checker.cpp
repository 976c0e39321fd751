#include "access/checker.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace boathouse::access {

namespace {

// Of tables and views that have had a name: at the lake's version $3, or, where that is NULL, ever.
constexpr const char* kNumbers = R"sql(
SELECT o.id FROM public.ducklake_schema s JOIN (
    SELECT schema_id, table_id, table_name, begin_snapshot, end_snapshot FROM public.ducklake_table
    UNION ALL SELECT schema_id, view_id, view_name, begin_snapshot, end_snapshot FROM public.ducklake_view)
    AS o(schema, id, name, begins, ends) ON o.schema = s.schema_id
 WHERE s.schema_name = $1 AND o.name = $2 AND ($3::bigint IS NULL OR EXISTS (
    SELECT FROM public.ducklake_snapshot n
     WHERE n.schema_version = $3::bigint AND n.snapshot_id >= o.begins
       AND (o.ends IS NULL OR n.snapshot_id < o.ends)
       AND n.snapshot_id >= s.begin_snapshot AND (s.end_snapshot IS NULL OR n.snapshot_id < s.end_snapshot)))
 GROUP BY o.id)sql";

Refusal denied(const std::string& what, const std::string& name) {
    return {"42501", "permission denied for " + what + " " + name};
}

Refusal unknowable(const Error& error) {
    return {"55000", "privileges cannot be checked: " + error.message,
            error.hint.empty() ? "The catalog's PostgreSQL may be starting again; try again." : error.hint};
}

}  // namespace

// One check: what is needed against what is known, read where it is not.
class Checker::Judge {
  public:
    // `reads`: what is not known; else it is an error.
    Judge(Checker& checker, std::unique_ptr<FactReader>& reader, const Present& present, const Needs& needs,
          bool reads = true)
        : checker_(checker), reader_(reader), present_(present), needs_(needs), reads_(reads) {}

    std::optional<Refusal> judge(const std::string& role) {
        const auto facts = role_facts(role);
        if (!facts) return unknowable(facts.error());
        if (!*facts) return Refusal{"42501", "role \"" + role + "\" does not exist"};
        if ((*facts)->may_do_everything()) return std::nullopt;
        if (!needs_.keeper.empty()) return keeper_only(needs_.keeper);
        if (auto refusal = relations(**facts, needs_.relations)) return refusal;
        if (auto refusal = views()) return refusal;
        if (auto refusal = created(**facts)) return refusal;
        return owned(**facts);
    }

    // In which all facts were read; empty: there is more than one.
    const std::string& snapshot() const { return snapshot_; }

  private:
    using Relations = std::vector<Known<RelationFacts>>;

    static Refusal keeper_only(const std::string& what) {
        return {"42501", "permission denied: " + what + " is for members of lake_admin"};
    }

    static Error unread() { return {ErrorKind::unavailable, "nobody was asked", "", ""}; }

    template <typename Facts, typename Read>
    Result<Dated<Facts>> ask(Read read) {
        if (!reads_) return unread();
        if (!reader_) {
            auto borrowed = checker_.borrow();
            if (!borrowed) return borrowed.error();
            reader_ = std::move(*borrowed);
        }
        Result<Dated<Facts>> answer = read(*reader_);
        if (answer) {
            if (has_asked_ && answer->snapshot != snapshot_) snapshot_.clear();
            if (!has_asked_) snapshot_ = answer->snapshot;
            has_asked_ = true;
        }
        return answer;
    }

    Result<Dated<RelationFacts>> ask_relation(const RelationNeed& need) {
        return ask<RelationFacts>([&](FactReader& reader) { return reader.relation(need.schema, need.name); });
    }

    static Known<RelationFacts> shared(Dated<RelationFacts> dated) {
        return std::make_shared<const RelationFacts>(std::move(*dated.facts));
    }

    Result<Dated<SchemaFacts>> ask_schema(const std::string& name) {
        return ask<SchemaFacts>([&](FactReader& reader) { return reader.schema(name); });
    }

    Result<Known<RoleFacts>> role_facts(const std::string& role) {
        return checker_.remembered(checker_.roles_, role, present_, [&] {
            return ask<RoleFacts>([&](FactReader& reader) { return reader.role(role); });
        });
    }

    // The relations that the need is about: one, or, in an old version of the lake, all that it may mean.
    Result<Relations> candidates(const RelationNeed& need) {
        const Name name{need.schema, need.name};
        if (!need.travelled && !needs_.schema_version) return newest(need);
        if (!need.travelled && *needs_.schema_version >= present_.schema_version) {
            auto facts = checker_.remembered(checker_.relations_, name, present_, [&] { return ask_relation(need); });
            if (!facts) return facts.error();
            if (!*facts) return Relations();
            return Relations{std::move(*facts)};
        }
        if (!reads_) return unread();
        auto numbers = checker_.numbers_of(name, need.travelled ? std::nullopt : needs_.schema_version);
        if (!numbers) return numbers.error();
        Relations found;
        for (const long long number : *numbers) {
            auto facts = ask<RelationFacts>([&](FactReader& reader) { return reader.relation(number); });
            if (!facts) return facts.error();
            if (!facts->facts) return Relations();  // its privileges are gone with it
            found.push_back(shared(std::move(*facts)));
        }
        return found;
    }

    // For a statement that has not looked at the lake itself: what has the name now.
    Result<Relations> newest(const RelationNeed& need) {
        if (!reads_) return unread();
        if (auto current = checker_.options_.catch_up(); !current) return current.error();
        auto facts = ask_relation(need);
        if (!facts) return facts.error();
        if (!facts->facts) return Relations();
        return Relations{shared(std::move(*facts))};
    }

    static bool is_met(const RoleFacts& role, const RelationFacts& relation, const RelationNeed& need) {
        if (has_privilege(role, relation, need.privilege)) return true;
        if (need.whole || need.travelled) return false;
        if (need.columns.empty()) return has_any_column_privilege(role, relation, need.privilege);
        return std::all_of(need.columns.begin(), need.columns.end(), [&](const std::string& column) {
            return has_column_privilege(role, relation, column, need.privilege);
        });
    }

    std::optional<Refusal> relations(const RoleFacts& role, const std::vector<RelationNeed>& needed) {
        for (const RelationNeed& need : needed) {
            const auto found = candidates(need);
            if (!found) return unknowable(found.error());
            // What the mirror does not show nobody has privileges on.
            if (found->empty()) return denied("table", need.name);
            for (const auto& relation : *found) {
                if (!has_privilege(role, relation->schema, Privilege::usage))
                    return denied("schema", relation->schema.name);
                if (!is_met(role, *relation, need)) return denied(relation->is_view ? "view" : "table", need.name);
            }
        }
        return std::nullopt;
    }

    std::optional<Refusal> views() {
        for (const ViewNeeds& view : needs_.views) {
            RelationNeed itself;
            itself.schema = view.schema;
            itself.name = view.name;
            const auto found = candidates(itself);
            if (!found) return unknowable(found.error());
            if (found->empty()) return denied("view", view.name);
            for (const auto& relation : *found) {
                const auto owner = role_facts(relation->owner_name);
                if (!owner) return unknowable(owner.error());
                if (!*owner) return denied("view", view.name);
                if ((*owner)->may_do_everything()) continue;
                if (!view.keeper.empty()) return keeper_only(view.keeper);
                if (auto refusal = relations(**owner, view.relations)) return refusal;
            }
        }
        return std::nullopt;
    }

    std::optional<Refusal> created(const RoleFacts& role) {
        for (const std::string& name : needs_.created_in) {
            const auto schema = ask_schema(name);
            if (!schema) return unknowable(schema.error());
            if (!schema->facts || !has_privilege(role, *schema->facts, Privilege::create))
                return denied("schema", schema->facts ? schema->facts->name : name);
        }
        if (!needs_.creates_schema) return std::nullopt;
        const auto database = ask<SchemaFacts>([](FactReader& reader) { return reader.database(); });
        if (!database) return unknowable(database.error());
        if (!database->facts || !has_privilege(role, *database->facts, Privilege::create))
            return denied("database", "lake");
        return std::nullopt;
    }

    // The owner of an object, and the owner of the schema that it lies in.
    Result<std::vector<Oid>> owners(const OwnershipNeed& need) {
        std::vector<Oid> owners;
        const auto schema = ask_schema(need.schema);
        if (!schema) return schema.error();
        if (need.kind == ObjectKind::schema) {
            if (schema->facts) owners.push_back(schema->facts->owner);
            return owners;
        }
        if (need.kind == ObjectKind::macro) {
            const auto macro =
                ask<SchemaFacts>([&](FactReader& reader) { return reader.macro(need.schema, need.name); });
            if (!macro) return macro.error();
            if (macro->facts) owners.push_back(macro->facts->owner);
            return owners;
        }
        RelationNeed relation;
        relation.schema = need.schema;
        relation.name = need.name;
        const auto found = candidates(relation);
        if (!found) return found.error();
        for (const auto& facts : *found) owners.push_back(facts->owner);
        return owners;
    }

    std::optional<Refusal> owned(const RoleFacts& role) {
        for (const OwnershipNeed& need : needs_.owned) {
            const auto found = owners(need);
            if (!found) return unknowable(found.error());
            const bool is_owner = !found->empty() && std::all_of(found->begin(), found->end(),
                                                                 [&](Oid owner) { return owns(role, owner); });
            if (is_owner) continue;
            static constexpr const char* kWords[] = {"table ", "view ", "schema ", "function "};
            return Refusal{"42501", std::string("must be owner of ") + kWords[static_cast<int>(need.kind)] +
                                        (need.kind == ObjectKind::schema ? need.schema : need.name)};
        }
        return std::nullopt;
    }

    Checker& checker_;
    std::unique_ptr<FactReader>& reader_;
    const Present& present_;
    const Needs& needs_;
    const bool reads_;
    bool has_asked_ = false;
    std::string snapshot_;
};

template <typename Facts, typename Key, typename Read>
Result<Checker::Known<Facts>> Checker::remembered(std::map<Key, Known<Facts>>& known, const Key& key,
                                                  const Present& present, Read read) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = known.find(key);
        if (present.snapshot == snapshot_ && found != known.end()) return found->second;
    }
    Result<Dated<Facts>> dated = read();
    if (!dated) return dated.error();
    const std::lock_guard lock(mutex_);
    if (dated->snapshot != snapshot_ || known.size() >= kFactsMax) {
        roles_.clear();
        relations_.clear();
        snapshot_ = dated->snapshot;
    }
    if (!dated->facts) return Known<Facts>();
    auto facts = std::make_shared<const Facts>(std::move(*dated->facts));
    known.insert_or_assign(key, facts);
    return facts;
}

Result<std::vector<long long>> Checker::numbers_of(const Name& name, std::optional<long long> version) {
    const std::lock_guard lock(lake_mutex_);
    for (const bool again : {true, false}) {
        if (!lake_) {
            auto opened = catalog::Connection::open(options_.lake);
            if (!opened) return opened.error();
            lake_.emplace(std::move(*opened));
        }
        auto rows = lake_->query(
            kNumbers, {name.first, name.second, version ? std::optional(std::to_string(*version)) : std::nullopt});
        if (rows) {
            std::vector<long long> numbers;
            for (const catalog::Row& row : *rows) numbers.push_back(std::stoll(row.front().value_or("-1")));
            return numbers;
        }
        lake_.reset();
        if (!again) return rows.error();
    }
    return std::vector<long long>();
}

std::unique_ptr<FactReader> Checker::borrow_idle() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    std::unique_ptr<FactReader> reader = std::move(idle_.back());
    idle_.pop_back();
    ++on_loan_;
    return reader;
}

Result<std::unique_ptr<FactReader>> Checker::borrow() {
    {
        std::unique_lock lock(mutex_);
        returned_.wait(lock, [this] { return !idle_.empty() || on_loan_ < kReadersMax; });
        ++on_loan_;
        if (!idle_.empty()) {
            std::unique_ptr<FactReader> reader = std::move(idle_.back());
            idle_.pop_back();
            return reader;
        }
    }
    // The mirror may not have been made yet, or have been dropped since it was looked at.
    auto made = options_.catch_up();
    auto opened = made ? FactReader::open(options_.mirror) : Result<FactReader>(made.error());
    if (made && !opened && options_.remake()) opened = FactReader::open(options_.mirror);
    if (opened) return std::make_unique<FactReader>(std::move(*opened));
    give_back(nullptr, false);
    return opened.error();
}

void Checker::give_back(std::unique_ptr<FactReader> reader, bool usable) {
    {
        const std::lock_guard lock(mutex_);
        --on_loan_;
        if (usable) idle_.push_back(std::move(reader));
    }
    returned_.notify_one();
}

void Checker::close_idle() {
    std::vector<std::unique_ptr<FactReader>> closed;
    const std::lock_guard lock(mutex_);
    closed.swap(idle_);
}

// The answer to the question that is on its way on `reader`, as of a mirror that is not behind what the statement saw.
Result<Present> Checker::present_on(std::unique_ptr<FactReader>& reader, const Needs& needs) {
    auto present = reader->receive_present();
    if (!present) {
        // An idle connection may have been ended, with PostgreSQL or with the mirror's database, and the others with
        // it.
        give_back(nullptr, false);
        reader.reset();
        close_idle();
        auto borrowed = borrow();
        if (!borrowed) return borrowed.error();
        reader = std::move(*borrowed);
        if (auto asked = reader->ask_present(); !asked) return asked.error();
        present = reader->receive_present();
        if (!present) return present;
    }
    if (present->schema_version >= needs.schema_version.value_or(-1)) return present;
    if (auto done = options_.catch_up(); !done) return done.error();
    if (auto asked = reader->ask_present(); !asked) return asked.error();
    return reader->receive_present();
}

std::optional<Refusal> Checker::check_on(std::unique_ptr<FactReader> reader, const std::string& role,
                                         const Needs& needs) {
    const auto present = present_on(reader, needs);
    if (!present) {
        if (reader) give_back(nullptr, false);
        return unknowable(present.error());
    }
    {
        const std::lock_guard lock(mutex_);
        present_ = *present;
    }
    return judge(std::move(reader), *present, role, needs);
}

std::optional<Refusal> Checker::judge(std::unique_ptr<FactReader> reader, const Present& present,
                                      const std::string& role, const Needs& needs) {
    auto refusal = Judge(*this, reader, present, needs).judge(role);
    if (reader) give_back(std::move(reader), !refusal || refusal->sqlstate == "42501");
    return refusal;
}

std::optional<Refusal> Checker::check_in(const std::string& snapshot, const std::string& role, const Needs& needs) {
    if (needs.empty()) return std::nullopt;
    std::optional<Present> present;
    {
        const std::lock_guard lock(mutex_);
        present = present_;
    }
    const bool is_present = present && present->snapshot == snapshot;
    if (!is_present || present->schema_version < needs.schema_version.value_or(-1)) return check(role, needs);
    return judge(nullptr, *present, role, needs);
}

std::optional<Refusal> Checker::check(const std::string& role, const Needs& needs) {
    if (needs.empty()) return std::nullopt;
    auto reader = borrow();
    if (!reader) return unknowable(reader.error());
    static_cast<void>((*reader)->ask_present());  // a lost connection shows when the answer is wanted
    return check_on(std::move(*reader), role, needs);
}

bool Checker::is_known_in(const std::string& snapshot, const std::string& role, const Needs& needs) {
    if (needs.empty()) return true;
    std::optional<Present> present;
    {
        const std::lock_guard lock(mutex_);
        present = present_;
    }
    if (!present || present->snapshot != snapshot || present->schema_version < needs.schema_version.value_or(-1))
        return false;
    std::unique_ptr<FactReader> nobody;
    return !Judge(*this, nobody, *present, needs, false).judge(role);
}

Judgement Checker::check_anew(const std::string& role, const Needs& needs) {
    std::unique_ptr<FactReader> reader;
    const Present unknown;
    Judge judge(*this, reader, unknown, needs);
    Judgement judgement{judge.judge(role), judge.snapshot()};
    if (reader) give_back(std::move(reader), !judgement.refusal || judgement.refusal->sqlstate == "42501");
    return judgement;
}

Counters Checker::counters() const {
    return {checks_.load(), std::chrono::nanoseconds(cost_ns_.load())};
}

RoleGate::~RoleGate() {
    forget();
}

void RoleGate::expect() {
    forget();  // an answer to an earlier question is no answer
    asked_ = checker_.borrow_idle();
    if (asked_) static_cast<void>(asked_->ask_present());
}

void RoleGate::forget() {
    if (!asked_) return;
    const bool answered = asked_->receive_present().has_value();
    checker_.give_back(std::move(asked_), answered);
}

std::optional<Refusal> RoleGate::check(const Needs& needs) {
    if (needs.empty()) return std::nullopt;
    if (!asked_) return checker_.check(role_, needs);
    return checker_.check_on(std::move(asked_), role_, needs);
}

void RoleGate::count(std::chrono::nanoseconds cost) {
    checker_.checks_.fetch_add(1, std::memory_order_relaxed);
    checker_.cost_ns_.fetch_add(static_cast<std::uint64_t>(cost.count()), std::memory_order_relaxed);
}

}  // namespace boathouse::access
