import Columns
import Parquet
import Synchronization

/// Notes which pages of stored files are decoded, for those who ask what a query reads.
package final class ReadTally: Sendable {
  /// What was read of one file.
  package struct File: Sendable {
    /// `leaf 4f…`, `tail 02…` or `projection 9a…`.
    package let name: String
    package let rowCount: Int
    /// By the file's order; only those of which something was read.
    package fileprivate(set) var columns: [Column]
    /// Of all columns.
    package let pageCount: Int
    package let byteCount: Int

    package var readPageCount: Int { columns.reduce(0) { $0 + $1.readPageCount } }
    package var readByteCount: Int { columns.reduce(0) { $0 + $1.readByteCount } }
  }

  /// What was read of one column: each page counts once, however often it was decoded.
  package struct Column: Sendable {
    package let name: String
    package let pageCount: Int
    package let readPageCount: Int
    /// Compressed, with headers.
    package let readByteCount: Int
  }

  private struct Pages {
    let name: String
    /// Where each page starts; flat columns only, else one.
    let firstRows: [Int]
    let byteCounts: [Int]
    /// The column's dictionary, which comes with any page.
    let dictionaryByteCount: Int
    var isRead: [Bool]
  }

  private struct Entry {
    let rowCount: Int
    var columns: [Pages]
    let byteCount: Int
  }

  private let entries = Mutex<[String: Entry]>([:])

  package init() {}

  /// Files of which something was read, by name.
  package var files: [File] {
    entries.withLock { entries in
      entries.map { name, entry in
        let columns = entry.columns.filter { $0.isRead.contains(true) }.map { pages in
          let read = pages.isRead.indices.filter { pages.isRead[$0] }
          return Column(
            name: pages.name, pageCount: pages.isRead.count, readPageCount: read.count,
            readByteCount: pages.dictionaryByteCount + read.reduce(0) { $0 + pages.byteCounts[$1] })
        }
        return File(
          name: name, rowCount: entry.rowCount, columns: columns, pageCount: entry.columns.reduce(0) { $0 + $1.isRead.count },
          byteCount: entry.byteCount)
      }.sorted { $0.name < $1.name }
    }
  }

  /// - Complexity: O(pages of the columns), and the page index of a file that was not seen before
  func note(_ name: String, _ reader: ParquetReader, columns: [Int], rows: Range<Int>) {
    guard !rows.isEmpty, !columns.isEmpty else { return }
    entries.withLock { entries in
      var entry = entries[name] ?? Self.entry(reader)
      for column in columns where column < entry.columns.count {
        let firstRows = entry.columns[column].firstRows
        for page in firstRows.indices {
          let end = page + 1 < firstRows.count ? firstRows[page + 1] : entry.rowCount
          if firstRows[page] < rows.upperBound && end > rows.lowerBound { entry.columns[column].isRead[page] = true }
        }
      }
      entries[name] = entry
    }
  }

  private static func entry(_ reader: ParquetReader) -> Entry {
    // A file whose page index cannot be read fails where its rows are read.
    let chunks = (try? FileDescription(reader, includesPages: true))?.rowGroups.first?.columns ?? []
    let columns = reader.schema.fields.map { field -> Pages in
      let own = chunks.filter { $0.path.first == field.name }
      let byteCount = own.reduce(0) { $0 + $1.compressedByteCount }
      var firstRows: [Int] = []
      var byteCounts: [Int] = []
      if own.count == 1, let pages = own[0].pages, own[0].hasOffsetIndex {
        var row = 0
        for page in pages {
          firstRows.append(row)
          byteCounts.append(page.byteCount)
          row += page.rowCount ?? 0
        }
      } else {
        firstRows = [0]
        byteCounts = [byteCount]
      }
      return Pages(
        name: field.name, firstRows: firstRows, byteCounts: byteCounts,
        dictionaryByteCount: max(0, byteCount - byteCounts.reduce(0, +)), isRead: firstRows.map { _ in false })
    }
    return Entry(rowCount: reader.rowCount, columns: columns, byteCount: chunks.reduce(0) { $0 + $1.compressedByteCount })
  }
}
