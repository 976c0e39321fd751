#include "supervisor/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace boathouse::supervisor {
namespace {

// Pointers to the strings, ended by a null pointer, as execve wants them.
std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size() + 1);
    for (auto& string : strings) result.push_back(string.data());
    result.push_back(nullptr);
    return result;
}

void write_oom_score(int score) {
    if (score == 0) return;
    const std::string text = std::to_string(score);
    const FileDescriptor file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (file) (void)!::write(file.get(), text.data(), text.size());
}

// In the child, between fork and exec. Returns only on failure, with errno set.
void become_program(const ChildOptions& options, pid_t parent, char* const* arguments, char* const* environment) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::setpgid(0, 0);  // a terminal's Ctrl-C is for the supervisor, which stops its children in order
    if (options.death_signal != 0) ::prctl(PR_SET_PDEATHSIG, options.death_signal);
    if (::getppid() != parent) ::_exit(1);  // the supervisor died before the line above
    if (options.stderr_fd >= 0 && (::dup2(options.stderr_fd, 1) < 0 || ::dup2(options.stderr_fd, 2) < 0)) return;
    if (options.notify_fd >= 0 && ::fcntl(options.notify_fd, F_SETFD, 0) != 0) return;
    if (!options.working_directory.empty() && ::chdir(options.working_directory.c_str()) != 0) return;
    write_oom_score(options.oom_score_adj);
    ::execve(options.program.c_str(), arguments, environment);
}

}  // namespace

Result<pid_t> start_child(const ChildOptions& options) {
    std::vector<std::string> arguments{options.program};
    arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
    std::vector<std::string> environment;
    for (const auto& [name, value] : options.environment) environment.push_back(name + "=" + value);
    const auto argument_pointers = pointers(arguments);
    const auto environment_pointers = pointers(environment);

    // The exec's failure comes back through a pipe that a successful exec closes.
    int failure_pipe[2];
    if (::pipe2(failure_pipe, O_CLOEXEC) != 0) return os_error("cannot start " + options.program, errno);
    FileDescriptor failure_reader(failure_pipe[0]);
    FileDescriptor failure_writer(failure_pipe[1]);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) return os_error("cannot start " + options.program, errno);
    if (child == 0) {
        become_program(options, parent, argument_pointers.data(), environment_pointers.data());
        const int error_number = errno;
        (void)!::write(failure_writer.get(), &error_number, sizeof(error_number));
        ::_exit(127);
    }
    failure_writer.close();
    int error_number = 0;
    if (::read(failure_reader.get(), &error_number, sizeof(error_number)) == sizeof(error_number)) {
        ::waitpid(child, nullptr, 0);
        return os_error("cannot start " + options.program, error_number);
    }
    return child;
}

std::string output_of(ChildOptions options) {
    constexpr std::size_t kOutputBytesMax = 1 << 20;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return "";
    const FileDescriptor reader(ends[0]);
    FileDescriptor writer(ends[1]);
    options.stderr_fd = writer.get();
    const auto child = start_child(options);
    if (!child) return "";
    writer.close();
    std::string output;
    char buffer[4096];
    for (;;) {
        const ssize_t count = ::read(reader.get(), buffer, sizeof(buffer));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        if (output.size() < kOutputBytesMax) output.append(buffer, static_cast<std::size_t>(count));
    }
    ::waitpid(*child, nullptr, 0);
    return output;
}

std::optional<int> ChildEnd::exit_code() const {
    if (!WIFEXITED(status)) return std::nullopt;
    return WEXITSTATUS(status);
}

std::string ChildEnd::text() const {
    if (const auto code = exit_code()) return "exited with code " + std::to_string(*code);
    const int signal = WTERMSIG(status);
    return "killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

std::vector<ChildEnd> reap_children() {
    std::vector<ChildEnd> ends;
    for (;;) {
        ChildEnd end;
        end.pid = ::waitpid(-1, &end.status, WNOHANG);
        if (end.pid < 0 && errno == EINTR) continue;
        if (end.pid <= 0) return ends;
        ends.push_back(end);
    }
}

std::vector<std::string> LineReader::read_lines() {
    std::vector<std::string> lines;
    char buffer[16384];
    for (;;) {
        const ssize_t count = ::read(pipe_.get(), buffer, sizeof(buffer));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return lines;  // nothing more has arrived
        if (count == 0) {
            if (!partial_.empty()) lines.push_back(std::move(partial_));
            partial_.clear();
            pipe_.close();
            return lines;
        }
        for (ssize_t position = 0; position < count; ++position) {
            if (buffer[position] == '\n') {
                lines.push_back(std::move(partial_));
                partial_.clear();
            } else if (partial_.size() < kLineBytesMax) {
                partial_ += buffer[position];
            }
        }
    }
}

Result<std::pair<FileDescriptor, FileDescriptor>> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return os_error("cannot create a pipe", errno);
    std::pair<FileDescriptor, FileDescriptor> pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
    if (::fcntl(pipe.first.get(), F_SETFL, O_NONBLOCK) != 0) return os_error("cannot create a pipe", errno);
    return pipe;
}

}  // namespace boathouse::supervisor
