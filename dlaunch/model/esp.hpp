// SPDX-License-Identifier: Apache-2.0
// Builds an EFI system partition image (FAT32, no partition table) with mtools, without root.
// Deterministic: the same files give the same image.
#pragma once

#include "dlaunch/model/error.hpp"

#include <filesystem>
#include <map>

namespace casemate::model {

/// Path on the partition, with `/` ("EFI/BOOT/BOOTX64.EFI"), to the host file that goes there.
using EspFiles = std::map<std::string, std::filesystem::path>;

/// Every regular file under `directory`.
Outcome<EspFiles> list_directory(const std::filesystem::path& directory);
Status<Error> build_esp(const EspFiles& files, const std::filesystem::path& image);

} // namespace casemate::model
