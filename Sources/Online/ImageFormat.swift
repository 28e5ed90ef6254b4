import Columns
import JSON

/// The layout of a view image; docs/format/generation.md is the norm.
enum ImageFormat {
  static let magic: [UInt8] = Array("ALMVIEW1".utf8)
  static let version: UInt32 = 1
  static let headerByteCount = 64
  /// Sections start at multiples of this, so that vectors and cache lines are aligned in a mapped file.
  static let alignment = 64

  /// Where the fields of the header lie.
  enum Offset {
    static let version = 8
    static let sectionCount = 12
    static let byteCount = 16
    static let buildTime = 24
    static let entityCount = 32
    static let eventCount = 40
    static let bodyChecksum = 48
    static let headerChecksum = 56
  }

  /// Sections before those of the features.
  enum Section {
    static let descriptor = 0
    static let slots = 1
    static let keyOffsets = 2
    static let keyBytes = 3
    static let starts = 4
    static let times = 5
    static let firstOfFeatures = 6
  }

  /// Sections of each feature.
  enum FeatureSection {
    static let validity = 0
    static let data = 1
    static let offsets = 2
    static let passing = 3
    static let count = 4
  }

  /// - Parameter hasKnown: whether a section with the times from which events are known comes last.
  static func sectionCount(featureCount: Int, hasKnown: Bool) -> Int {
    Section.firstOfFeatures + featureCount * FeatureSection.count + (hasKnown ? 1 : 0)
  }
}
