import Columns

/// Everything a footer says, for pruning and for descriptions; what decoding values needs is `FileMetadata`.
struct FooterDetail: Sendable {
  struct Element: Sendable {
    var name = ""
    var physicalCode: Int32?
    var fixedByteCount: Int32?
    var repetitionCode: Int32?
    var childCount: Int32 = 0
    var convertedCode: Int32?
    var scale: Int32 = 0
    var precision: Int32 = 0
    var fieldID: Int32?
    /// The place in the union `LogicalType`, and its text.
    var logicalID: Int?
    var logicalText: String?
    /// Of times and timestamps, and of integers.
    var unit: TimeUnit?
    var isUnsigned = false
  }

  struct Statistics: Sendable {
    /// Of old writers, in an order that the format left open.
    var legacyLeast: [UInt8]?
    var legacyGreatest: [UInt8]?
    var least: [UInt8]?
    var greatest: [UInt8]?
    var nullCount: Int?
    var distinctCount: Int?
  }

  struct Chunk: Sendable {
    var physicalCode: Int32 = -1
    var encodings: [Int32] = []
    var path: [String] = []
    var codec: Int32 = 0
    var valueCount = 0
    var uncompressedByteCount = 0
    var compressedByteCount = 0
    var dataPageOffset = 0
    var dictionaryPageOffset: Int?
    var statistics: Statistics?
    var bloomFilterOffset: Int?
    var bloomFilterByteCount: Int?
    var offsetIndex = (offset: 0, byteCount: 0)
    var columnIndex = (offset: 0, byteCount: 0)
  }

  struct RowGroup: Sendable {
    var chunks: [Chunk] = []
    var rowCount = 0
    var byteCount = 0
    var fileOffset: Int?
  }

  var version: Int32 = 0
  var elements: [Element] = []
  var rowGroups: [RowGroup] = []
  var keys: [String] = []
  var createdBy: String?
  /// Whether statistics of a leaf follow TYPE_ORDER; empty when the file says nothing.
  var hasTypeOrder: [Bool] = []

  /// - Parameter file: one that `ParquetReader` has accepted.
  init(_ file: UnsafeRawBufferPointer) throws(ParquetError) {
    guard file.count >= 12 else { throw .malformed("Cannot read the footer: the file has \(file.count) bytes") }
    let length = Int(file.loadUnaligned(fromByteOffset: file.count - 8, as: UInt32.self))
    guard length <= file.count - 12 else { throw .malformed("Cannot read the footer: it claims \(length) bytes of \(file.count)") }
    let start = file.count - 8 - length
    var reader = ThriftReader(UnsafeRawBufferPointer(rebasing: file[start..<(start + length)]), subject: "footer")
    var result = FooterDetail()
    do { try result.decode(&reader) } catch { throw error.within("Cannot read the footer at byte \(start)") }
    self = result
  }

  private init() {}

  /// The element of each leaf, in the order of the chunks of a row group.
  var leaves: [Element] { elements.dropFirst().filter { $0.childCount == 0 } }

  /// By index of the root's children: the leaf, where the child is one that is not repeated.
  var flatLeaves: [Int?] {
    var result: [Int?] = []
    var leaf = 0
    // How many children are still to come, of each group that is open.
    var open = [Int(elements.first?.childCount ?? 0)]
    for element in elements.dropFirst() {
      while open.count > 1 && open[open.count - 1] <= 0 { open.removeLast() }
      let isTop = open.count == 1
      open[open.count - 1] -= 1
      let isFlat = element.childCount == 0 && element.repetitionCode != Repetition.repeated.rawValue
      if isTop { result.append(isFlat ? leaf : nil) }
      if element.childCount > 0 { open.append(Int(element.childCount)) } else { leaf += 1 }
    }
    return result
  }
}
