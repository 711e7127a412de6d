// SPDX-License-Identifier: Apache-2.0
// Finds the AMD IOMMU by its PCI capability, not by the firmware's tables: what the firmware says is not
// measured, what the root complex decodes is (docs/adr/0002). Called by the SLB, once, before anything is trusted.
#pragma once

#include "hypervisor/base/address.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/hw/pci_function.hpp"

namespace casemate::slb {

enum class SearchError { none = 1, several };

/// The register block of the only IOMMU, decoding switched on. More than one is refused: one that is left out
/// would let its devices through.
Result<HostRange, SearchError> find_iommu(hw::PciBus& bus);

} // namespace casemate::slb
