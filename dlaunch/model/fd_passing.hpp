// SPDX-License-Identifier: Apache-2.0
// Descriptors that travel with bytes over a UNIX socket (SCM_RIGHTS), as swtpm's SET_DATAFD uses them.
#pragma once

#include "dlaunch/model/byte_io.hpp"

namespace casemate::model {

Status<Error> send_fd(int socket, ByteView message, int fd);
/// Appends what is there to `buffer`; a descriptor that came along replaces `passed`.
ReadOutcome receive_with_fd(int socket, std::vector<std::uint8_t>& buffer, UniqueFd& passed);

} // namespace casemate::model
