#include "supervisor/lake_access.hpp"

#include <sys/acl.h>

#include <cerrno>
#include <memory>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

struct AclFree {
    void operator()(acl_t list) const { ::acl_free(list); }
};
using AccessList = std::unique_ptr<std::remove_pointer_t<acl_t>, AclFree>;

}  // namespace

Status grant_default_access(const std::string& directory, const BoxUser& user) {
    const std::string text = "u::rwx,g::r-x,o::r-x,m::rwx,u:" + std::to_string(user.uid) + ":rwx";
    const AccessList list(::acl_from_text(text.c_str()));
    if (!list) return os_error("cannot make an access list", errno);
    if (::acl_set_file(directory.c_str(), ACL_TYPE_DEFAULT, list.get()) == 0) return {};
    Error error = os_error("cannot set a default access list on " + directory, errno);
    if (errno == ENOTSUP) error.kind = ErrorKind::not_found;
    error.hint = "the box may be refused files that direct clients of other users write into the lake";
    return error;
}

}  // namespace boathouse::supervisor
