// A child process of the box: PostgreSQL, the engine, initdb.
//
// It dies with the supervisor (PR_SET_PDEATHSIG), starts with an environment and descriptors that are given to it and
// nothing else, and is known by its process id until reap_children() has seen its end. Owned by the supervisor's one
// thread; nothing here blocks.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"

namespace boathouse::supervisor {

using Environment = std::vector<std::pair<std::string, std::string>>;

struct ChildOptions {
    std::string program{};  // path
    std::vector<std::string>
        arguments{};            // without the program's name; visible to all users of the machine: no secrets
    Environment environment{};  // all of it
    std::string working_directory{};
    int death_signal = 0;   // what the kernel sends when the supervisor is gone
    int stderr_fd = -1;     // becomes its standard output and error; -1: the supervisor's own
    int notify_fd = -1;     // stays open, under the same number
    int oom_score_adj = 0;  // how much rather than others the kernel kills it when memory is short, 0 to 1000
};

// The child's process id. Errors: limit (no processes, no memory), not_found (no such program).
Result<pid_t> start_child(const ChildOptions& options);

// Runs a short-lived program to its end and returns what it printed, errors included; empty if it cannot be started.
// Blocks meanwhile; output beyond 1 MB is dropped.
std::string output_of(ChildOptions options);

// A child that has ended, and how.
struct ChildEnd {
    pid_t pid = 0;
    int status = 0;  // of waitpid

    std::optional<int> exit_code() const;  // nothing when a signal killed it
    std::string text() const;              // "exited with code 1", "killed by signal 9 (Killed)"
};

// Collects every child that has ended, ours and, for process 1, orphans that were handed to it.
std::vector<ChildEnd> reap_children();

// Reads what a child writes to its standard error, and gives it out by line. A line longer than the limit is cut.
class LineReader {
  public:
    explicit LineReader(FileDescriptor pipe) : pipe_(std::move(pipe)) {}

    int fd() const { return pipe_.get(); }

    // The lines that are complete by now; at the end of the pipe the rest of them. Closes the pipe at its end.
    std::vector<std::string> read_lines();

  private:
    static constexpr std::size_t kLineBytesMax = 8192;
    FileDescriptor pipe_;
    std::string partial_;
};

// A pipe whose reading end does not block: {reader, writer}.
Result<std::pair<FileDescriptor, FileDescriptor>> make_pipe();

}  // namespace boathouse::supervisor
