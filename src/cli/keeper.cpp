// `boathouse keeper …`: what looks after the lake, seen and asked.
//
// Commands meet the keeper in the box's database (keeper/journal.hpp); a plan is made here, by the same code and from
// the same catalog.
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <thread>

#include "cli/commands.hpp"
#include "cli/keeper_connections.hpp"
#include "keeper/journal.hpp"
#include "keeper/plan.hpp"

namespace boathouse::cli {
namespace {

constexpr int kRunsShown = 10;
constexpr std::chrono::milliseconds kProgressInterval{250};

struct KeeperArguments {
    bool json = false;
    bool dry_run = false;
};

double now_unix() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Result<std::vector<keeper::Step>> read_plan(keeper::Connections& databases) {
    const auto policies = keeper::read_policies(databases.both());
    if (!policies) return policies.error();
    const auto kept = keeper::read_kept(databases.box);
    if (!kept) return kept.error();
    const auto orphans = keeper::read_orphans_looked_for(databases.box);
    if (!orphans) return orphans.error();
    const auto survey = keeper::survey(databases.lake);
    if (!survey) return survey.error();
    return make_plan(*survey, *policies, *kept, now_unix(), *orphans);
}

boost::json::object to_json(const keeper::Run& run) {
    return {{"id", run.id},
            {"started_at", run.started_at},
            {"seconds", run.seconds},
            {"job", run.job},
            {"schema", run.schema},
            {"table", run.table},
            {"why", run.why},
            {"outcome", run.outcome},
            {"files_before", run.files_before},
            {"files_after", run.files_after},
            {"bytes_before", run.bytes_before},
            {"bytes_after", run.bytes_after},
            {"rows", run.rows},
            {"error", run.error}};
}

void print_run(const keeper::Run& run) {
    std::cout << run.started_at.substr(0, 19) << "  " << std::left << std::setw(8) << run.job << " " << std::setw(9)
              << run.outcome << " " << to_text(keeper::Scope{run.schema, run.table}) << ": " << run.files_before
              << " files before, " << run.files_after << " after, " << run.seconds << " s; "
              << (run.error.empty() ? run.why : run.error) << "\n";
}

int status(const Invocation& invocation, const KeeperArguments& arguments) {
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    const auto wishes = keeper::read_wishes(databases->box);
    if (!wishes) return fail(wishes.error());
    const auto activity = keeper::read_activity(databases->box);
    if (!activity) return fail(activity.error());
    const auto runs = keeper::read_runs(databases->box, kRunsShown);
    if (!runs) return fail(runs.error());
    if (arguments.json) {
        boost::json::array array;
        for (const keeper::Run& run : *runs) array.push_back(to_json(run));
        std::cout << boost::json::object{{"paused", wishes->paused},
                                         {"activity", activity->text},
                                         {"steps_done", activity->done},
                                         {"steps_left", activity->left},
                                         {"runs", array}}
                  << "\n";
        return kExitOk;
    }
    std::cout << (wishes->paused ? "paused" : "on duty");
    if (!activity->text.empty())
        std::cout << ", at work: " << activity->text << ", " << activity->left << " steps to go";
    std::cout << "\n";
    for (const keeper::Run& run : *runs) print_run(run);
    return kExitOk;
}

int plan(const Invocation& invocation, const KeeperArguments& arguments) {
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    const auto steps = read_plan(*databases);
    if (!steps) return fail(steps.error());
    boost::json::array array;
    for (const keeper::Step& step : *steps) {
        array.push_back({{"job", job_name(step.job)},
                         {"schema", step.schema},
                         {"table", step.table},
                         {"why", step.why},
                         {"worth", step.worth}});
        if (!arguments.json)
            std::cout << std::left << std::setw(8) << job_name(step.job) << " "
                      << to_text(keeper::Scope{step.schema, step.table}) << ": " << step.why << "\n";
    }
    if (arguments.json) std::cout << array << "\n";
    if (!arguments.json && steps->empty()) std::cerr << "There is nothing to do.\n";
    return kExitOk;
}

// On a terminal one line that is written over.
void show_progress(const keeper::Activity& activity, std::string& shown) {
    if (activity.text.empty() || activity.text == shown || ::isatty(STDERR_FILENO) == 0) return;
    shown = activity.text;
    const double done = static_cast<double>(activity.done);
    const double all = done + static_cast<double>(activity.left);
    std::cerr << "\r\033[K" << activity.text << " (" << activity.done << " done, about " << activity.left << " to go, "
              << static_cast<int>(all > 0 ? 100 * done / all : 0) << " %)" << std::flush;
}

int run(const Invocation& invocation, const KeeperArguments& arguments) {
    if (arguments.dry_run) return plan(invocation, arguments);
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    const auto last = keeper::read_runs(databases->box, 1);
    if (!last) return fail(last.error());
    const long long before = last->empty() ? 0 : last->front().id;
    const auto number = keeper::wish_run(databases->box);
    if (!number) return fail(number.error());
    std::string shown;
    while (true) {
        const auto wishes = keeper::read_wishes(databases->box);
        if (!wishes) return fail(wishes.error());
        if (wishes->runs_done >= *number) break;
        const auto activity = keeper::read_activity(databases->box);
        if (activity) show_progress(*activity, shown);
        std::this_thread::sleep_for(kProgressInterval);
    }
    if (!shown.empty()) std::cerr << "\r\033[K";
    const auto runs = keeper::read_runs(databases->box, 1000);
    if (!runs) return fail(runs.error());
    boost::json::array array;
    bool failed = false;
    for (auto run = runs->rbegin(); run != runs->rend(); ++run) {
        if (run->id <= before) continue;
        failed = failed || run->outcome == "failed";
        if (arguments.json) array.push_back(to_json(*run));
        if (!arguments.json) print_run(*run);
    }
    if (arguments.json) std::cout << array << "\n";
    return failed ? kExitFailed : kExitOk;
}

int pause(const Invocation& invocation, bool paused) {
    auto databases = connect_to_keeper(invocation);
    if (!databases) return fail(databases.error());
    if (auto set = keeper::set_paused(databases->box, paused); !set) return fail(set.error());
    std::cerr << (paused ? "The keeper pauses after the step it is at, on all boxes, until `boathouse keeper resume`.\n"
                         : "The keeper is on duty.\n");
    return kExitOk;
}

}  // namespace

void add_keeper(CLI::App& root, Invocation& invocation) {
    CLI::App& command =
        add_command(root, {.name = "keeper",
                           .summary = "See and ask what looks after the lake",
                           .teaching = "Examples:\n"
                                       "  boathouse keeper status\n"
                                       "  boathouse keeper plan        what it would do now, and why\n"
                                       "  boathouse keeper run         at once, at any hour, paused or not\n"
                                       "  boathouse keeper pause"});
    command.require_subcommand(1);
    auto arguments = std::make_shared<KeeperArguments>();
    const auto add = [&](const char* name, const char* summary, auto body) -> CLI::App& {
        return add_part(command, invocation, {.name = name, .summary = summary}, {"config_file", "data_dir"},
                        [arguments, body](const Invocation& given) { return body(given, *arguments); });
    };
    add("status", "Say what it is at, and what it did last", status)
        .add_flag("--json", arguments->json, "Print one JSON object");
    add("plan", "Say what it would do now, and why", plan).add_flag("--json", arguments->json, "Print one JSON array");
    CLI::App& running = add("run", "Let it do at once what there is to do, and wait for it", run);
    running.add_flag("--json", arguments->json, "Print one JSON array");
    running.add_flag("--dry-run", arguments->dry_run, "Only say what there is to do, as `plan` does");
    add("pause", "Let it do nothing by itself",
        [](const Invocation& given, const KeeperArguments&) { return pause(given, true); });
    add("resume", "Put it on duty again",
        [](const Invocation& given, const KeeperArguments&) { return pause(given, false); });
}

}  // namespace boathouse::cli
