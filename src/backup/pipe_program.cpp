#include "backup/pipe_program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace boathouse::backup {
namespace {

// The three streams of the program: one is the pipe, its errors a file, the other nothing.
class Streams {
  public:
    Streams(int pipe, int errors, PipeProgram::Direction direction) {
        const bool reads = direction == PipeProgram::Direction::read_from;
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawn_file_actions_adddup2(&actions_, pipe, reads ? STDOUT_FILENO : STDIN_FILENO);
        ::posix_spawn_file_actions_addopen(&actions_, reads ? STDIN_FILENO : STDOUT_FILENO, "/dev/null", O_RDWR, 0);
        ::posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO);
    }
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;
    ~Streams() { ::posix_spawn_file_actions_destroy(&actions_); }
    const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

int wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace

PipeProgram::PipeProgram(std::string name, FileDescriptor pipe, FileDescriptor errors, pid_t pid)
    : name_(std::move(name)), pipe_(std::move(pipe)), errors_(std::move(errors)), pid_(pid) {}

PipeProgram::~PipeProgram() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    wait_for(pid_);
}

Result<std::unique_ptr<PipeProgram>> PipeProgram::start(std::vector<std::string> command, Direction direction) {
    ::signal(SIGPIPE, SIG_IGN);  // a program that ends early is told by write()
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os_error("cannot make a pipe", errno);
    FileDescriptor reader(ends[0]);
    FileDescriptor writer(ends[1]);
    FileDescriptor errors(::memfd_create("errors", MFD_CLOEXEC));
    if (!errors) return os_error("cannot make a file for errors", errno);
    const bool reads = direction == Direction::read_from;
    const Streams streams(reads ? writer.get() : reader.get(), errors.get(), direction);
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (std::string& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int failed = ::posix_spawnp(&pid, command.front().c_str(), streams.get(), nullptr, arguments.data(), environ);
    if (failed != 0) return os_error("cannot run " + command.front(), failed);
    return std::unique_ptr<PipeProgram>(new PipeProgram(std::filesystem::path(command.front()).filename().string(),
                                                        std::move(reads ? reader : writer), std::move(errors), pid));
}

Result<std::size_t> PipeProgram::read(char* buffer, std::size_t size) {
    while (true) {
        const ssize_t count = ::read(pipe_.get(), buffer, size);
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno != EINTR) return os_error("cannot read from " + name_, errno);
    }
}

Status PipeProgram::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(pipe_.get(), bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EPIPE) {
            const auto ended = finish();
            return ended ? Error{ErrorKind::internal, name_ + " has read no further", "", ""} : ended.error();
        }
        if (count < 0) return os_error("cannot write to " + name_, errno);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Status PipeProgram::finish() {
    if (pid_ == 0) return {};
    pipe_.close();
    const int status = wait_for(pid_);
    pid_ = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    const std::string words = last_words();
    const bool is_full = words.find("No space left") != std::string::npos;
    return Error{is_full ? ErrorKind::limit : ErrorKind::unavailable,
                 name_ + " failed" + (words.empty() ? "" : ": " + words), is_full ? "Free space there." : "", ""};
}

// The last line that names an error, else the last.
std::string PipeProgram::last_words() const {
    std::string text(8192, '\0');
    const off_t size = ::lseek(errors_.get(), 0, SEEK_END);
    const off_t from = size > static_cast<off_t>(text.size()) ? size - static_cast<off_t>(text.size()) : 0;
    const ssize_t count = ::pread(errors_.get(), text.data(), text.size(), from);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    std::string last;
    std::string telling;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string line = text.substr(begin, end - begin);
        if (!line.empty()) last = line;
        if (line.find("rror:") != std::string::npos || line.find("No space left") != std::string::npos) telling = line;
        begin = end + 1;
    }
    return telling.empty() ? last : telling;
}

}  // namespace boathouse::backup
