// SPDX-License-Identifier: Apache-2.0
// What owners hand to each other and to the verifier: certificates of signing keys, and owners' files. Any bytes: never a crash; a set
// that is accepted has its one encoding.
#include "policy/compiler/owners_file.hpp"
#include "tests/unit/owner_sample.hpp"

#include <cstdlib>

using namespace casemate;

namespace {

constexpr std::int64_t now = 1'800'000'000;

void owners_file(std::string_view text) {
    static const std::vector<std::uint8_t> good[] = {test::CertifiedKey{}.certificate(now - 9, now + 9), test::CertifiedKey{}.certificate(now - 9, now + 9)};
    const auto read = [](const std::string& name) -> Result<std::vector<std::uint8_t>, cose::CertificateError> { return good[name.size() % 2]; };
    const policy::Owners owners = policy::read_owners(text, read, now * 1000);
    policy::OwnerSet set;
    if (owners.problems.empty() && !set.read(owners.encoded())) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    if (data[0] % 2 == 0) (void)cose::parse_key_certificate({data + 1, size - 1}).ok();
    else owners_file({reinterpret_cast<const char*>(data) + 1, size - 1}); // SAFETY: char and std::uint8_t alias
    return 0;
}
