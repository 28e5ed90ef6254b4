import Columns

/// Says what a file's pages, their headers and its end were when it was written, and under which name.
///
/// Pages have checksums; Parquet has none for their headers, for page indexes and for the footer, where one flipped bit makes a column
/// another one, and nothing in a file says which file it is. The seal stands between the indexes and the footer, where no reader looks
/// (docs/format/leaf.md).
enum FileSeal {
  static let magic = Array("ALMSEAL".utf8) + [1]
  static let byteCount = magic.count + 24

  /// What the seal is of, behind the data and in front of the footer.
  struct Extent {
    /// Byte of the file at which the page indexes start, which end where the headers' checksums start.
    let indexStart: Int
    let headerCount: Int

    var bytes: [UInt8] { littleEndian(UInt64(indexStart)) + littleEndian(UInt64(headerCount)) }
  }

  /// The checksums of page headers, and the seal.
  /// - Parameters:
  ///   - name: what the file will be called.
  ///   - footer: with its length and `PAR1`.
  static func bytes(name: [UInt8], indexStart: Int, indexes: [UInt8], _ rowGroups: [RowGroupSummary], footer: [UInt8]) -> [UInt8] {
    let headers = rowGroups.flatMap(\.chunks).flatMap { chunk in
      zip((chunk.dictionaryOffset.map { [$0] } ?? []) + chunk.pages.map(\.offset), chunk.headerChecksums)
    }
    let extent = Extent(indexStart: indexStart, headerCount: headers.count)
    let table = headers.flatMap { offset, checksum in littleEndian(UInt64(offset)) + littleEndian(checksum) }
    let sum = (indexes + table).withUnsafeBytes { body in
      footer.withUnsafeBytes { footer in Self.sum(name: name, extent, body: body, footer: footer) }
    }
    return table + magic + extent.bytes + littleEndian(sum)
  }

  /// XXH3-64 of the name and the extent, with seed 0, is the seed for that of the indexes and the headers' checksums, which is the seed
  /// for that of the footer.
  static func sum(name: [UInt8], _ extent: Extent, body: UnsafeRawBufferPointer, footer: UnsafeRawBufferPointer) -> UInt64 {
    let seed = (name + extent.bytes).withUnsafeBytes { XXH3.hash64($0, seed: 0) }
    return XXH3.hash64(footer, seed: XXH3.hash64(body, seed: seed))
  }

  private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}

/// The checksums of a sealed file's page headers: places in the file, ascending, of 8 bytes, and CRC-32s of 4.
struct HeaderChecksums: Sendable {
  static let entryByteCount = 12

  /// Bytes of the file.
  let place: Range<Int>

  /// - Parameter offset: where the header starts. - Returns: nil where no page starts.
  /// - Complexity: O(log pages)
  func checksum(at offset: Int, in file: UnsafeRawBufferPointer) -> UInt32? {
    var range = 0..<place.count / Self.entryByteCount
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      let entry = place.lowerBound + middle * Self.entryByteCount
      let found = UInt64(littleEndian: file.loadUnaligned(fromByteOffset: entry, as: UInt64.self))
      if found == UInt64(offset) { return UInt32(littleEndian: file.loadUnaligned(fromByteOffset: entry + 8, as: UInt32.self)) }
      range = found < UInt64(offset) ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return nil
  }
}

extension ParquetReader {
  /// Compares what the file says of its pages with what was written under this name, and their headers from now on.
  /// - Returns: whether there was a seal to compare with; earlier versions and other programs write none.
  /// - Throws: `.malformed` when it is not what was written.
  /// - Complexity: O(page indexes and footer)
  @discardableResult
  package mutating func checkSeal(name: [UInt8]) throws(ParquetError) -> Bool {
    let (isSealed, checksums) = bytes.withBytes { bytes -> (Bool, HeaderChecksums?) in
      let seal = dataEnd - FileSeal.byteCount
      guard seal >= 0, bytes[seal..<seal + FileSeal.magic.count].elementsEqual(FileSeal.magic) else { return (false, nil) }
      func number(_ index: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: seal + FileSeal.magic.count + index * 8, as: UInt64.self))
      }
      guard number(0) <= UInt64(seal), number(1) <= (UInt64(seal) - number(0)) / UInt64(HeaderChecksums.entryByteCount) else {
        return (true, nil)
      }
      let extent = FileSeal.Extent(indexStart: Int(number(0)), headerCount: Int(number(1)))
      let sum = FileSeal.sum(
        name: name, extent, body: UnsafeRawBufferPointer(rebasing: bytes[extent.indexStart..<seal]),
        footer: UnsafeRawBufferPointer(rebasing: bytes[dataEnd...]))
      guard number(2) == sum else { return (true, nil) }
      return (true, HeaderChecksums(place: seal - extent.headerCount * HeaderChecksums.entryByteCount..<seal))
    }
    guard isSealed else { return false }
    guard let checksums else { throw .malformed("its page indexes and footer are not those that were written under this name") }
    headerChecksums = checksums
    return true
  }
}
