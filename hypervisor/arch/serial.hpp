// SPDX-License-Identifier: Apache-2.0
// COM1, transmit only, polled. One writer at a time: core/log.cpp holds the lock around whole lines.
#pragma once

#include <string_view>

namespace casemate::arch {

void init_serial();
void write_serial(std::string_view text);

} // namespace casemate::arch
