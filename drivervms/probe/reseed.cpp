// SPDX-License-Identifier: Apache-2.0
#include "drivervms/probe/reseed.hpp"

#include "drivervms/probe/io.hpp"

#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>

namespace casemate::probe {

void reseed() {
    const Descriptor generator{::open("/dev/urandom", O_WRONLY | O_CLOEXEC), "/dev/urandom"};
    if (::ioctl(generator.get(), RNDRESEEDCRNG) != 0) throw failed("RNDRESEEDCRNG");
}

} // namespace casemate::probe
