#include "cli/program.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.hpp"

namespace boathouse::cli {
namespace {

constexpr std::size_t kOutputBytesMax = std::size_t{1} << 20;

// Where the program's three streams go.
class FileActions {
  public:
    FileActions(int output_fd, bool is_quiet) {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&actions_, output_fd, STDOUT_FILENO);
        if (is_quiet) ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;
    ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

    const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_;
};

// Until the other end is closed. What is beyond the limit is read too, so that the program can end.
std::size_t read_all(int fd, std::string& output) {
    char buffer[4096];
    std::size_t total = 0;
    for (;;) {
        const ssize_t count = ::read(fd, buffer, sizeof(buffer));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return total;
        total += static_cast<std::size_t>(count);
        if (total <= kOutputBytesMax) output.append(buffer, static_cast<std::size_t>(count));
    }
}

}  // namespace

Result<ProgramEnd> run_program(const Program& program) {
    const std::string& name = program.command.front();
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return os_error("cannot make a pipe", errno);
    const FileDescriptor reader(ends[0]);
    FileDescriptor writer(ends[1]);
    std::vector<char*> arguments;
    arguments.reserve(program.command.size() + 1);
    for (const std::string& argument : program.command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const FileActions actions(writer.get(), program.is_quiet);
    const int error = ::posix_spawnp(&pid, name.c_str(), actions.get(), nullptr, arguments.data(), environ);
    if (error != 0) return os_error("cannot run " + name, error);
    writer.close();

    ProgramEnd end;
    const std::size_t size = read_all(reader.get(), end.output);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return os_error("cannot wait for " + name, errno);
    }
    if (size > kOutputBytesMax) {
        return Error{.kind = ErrorKind::limit,
                     .message = name + " said more than " + std::to_string(kOutputBytesMax) + " bytes"};
    }
    end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return end;
}

}  // namespace boathouse::cli
