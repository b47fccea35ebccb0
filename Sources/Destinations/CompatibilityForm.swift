import Foundation
package import Templates

/// Unicode's compatibility decomposition (NFKD), which templates ask for by `nfkd` and `slug100`.
package enum CompatibilityForm {
    /// Appends the decomposition of a text.
    package static let decompose: CompatibilityDecomposition = { text, bytes in
        bytes.append(contentsOf: text.decomposedStringWithCompatibilityMapping.utf8)
    }
}
