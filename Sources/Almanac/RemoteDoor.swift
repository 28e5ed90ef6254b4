import Columns
import Foundation
import History
import Objects
import Parquet
import Tables

/// The way to other repositories: in folders, and through what a room above brings along, over HTTP.
package struct RemoteDoor: Sendable {
  private let http: (@Sendable (_ address: String) throws -> any Remote)?

  /// - Parameter http: opens a repository behind an `http://` or `https://` address.
  package init(http: (@Sendable (_ address: String) throws -> any Remote)? = nil) { self.http = http }

  /// - Parameter address: as `normalized` gives it.
  /// - Throws: `AlmanacError` of kind `notFound` when there is no repository.
  func open(_ address: String) throws(AlmanacError) -> any Remote {
    guard Self.isHTTP(address) else { return try Repository.open(at: address).asRemote }
    guard let http else { throw AlmanacError(.usage, "Cannot open \(address): this program has no HTTP client") }
    return try AlmanacError.translating { try http(address) }
  }

  static func isHTTP(_ address: String) -> Bool { address.hasPrefix("http://") || address.hasPrefix("https://") }

  /// An address that means the same from every folder: a URL without a slash at the end, or an absolute path.
  static func normalized(_ address: String) throws(AlmanacError) -> String {
    if isHTTP(address) {
      guard let url = URL(string: address), url.host != nil else {
        throw AlmanacError(.usage, "Cannot read the address \(address)", hint: "Expected something like http://host:6566.")
      }
      guard url.user == nil && url.password == nil else {
        throw AlmanacError(
          .usage, "An address with a user or password would be kept in the repository; leave them out",
          hint: "Give the server's token in the environment variable ALMANAC_TOKEN.")
      }
      var text = address
      while text.hasSuffix("/") { text.removeLast() }
      return text
    }
    if address.hasPrefix("file://") {
      guard let url = URL(string: address), !url.path.isEmpty else {
        throw AlmanacError(.usage, "Cannot read the address \(address)", hint: "Expected file:///folder.")
      }
      return url.standardizedFileURL.path
    }
    guard !address.contains("://"), !address.isEmpty else {
      throw AlmanacError(
        .usage, "Cannot read the address \(address)", hint: "Expected a folder, file:///folder, http://host:port or https://host.")
    }
    return URL(fileURLWithPath: address).standardizedFileURL.path
  }
}

extension Repository {
  /// This repository as another one's remote.
  package var asRemote: any Remote { ArchiveRemote(archive, location: folder, check: Self.checkFile, refCheck: ArrivalGate.refCheck) }

  /// Decodes a leaf or tail that came from elsewhere and compares its rows with its id: the checksum of the file alone says only that
  /// it is what the sender has.
  private static let checkFile: FileCheck = { (key, file, record) throws(StoreError) in
    func damaged(_ what: String) -> StoreError {
      StoreError(kind: .corrupt, text: "Cannot accept \(key.kind.name) \(key.id): \(what)")
    }
    let identity: LeafIdentity
    var reader: ParquetReader
    do {
      reader = try ParquetReader(bytes: BufferSlice(owner: file, start: file.start, byteCount: file.byteCount))
      let fields = reader.schema.fields
      let columns = key.kind == .tail && fields.last == RowOperation.field ? fields.dropLast() : fields[...]
      guard columns.allSatisfy({ $0.id != nil && $0.type.datasetType == $0.type }) else {
        throw damaged("its columns are not those of a dataset")
      }
      var parts: [Batch] = []
      for group in 0..<reader.rowGroupCount { parts.append(try reader.read(rowGroup: group, columns: Array(fields.indices))) }
      guard !parts.isEmpty else { throw damaged("it has no rows") }
      let rows = parts.count == 1 ? parts[0] : Batch.concatenate(parts)
      identity = LeafIdentity(Batch(schema: Schema(fields), columns: rows.columns, rowCount: reader.rowCount))
    } catch let error as StoreError {
      throw error
    } catch {
      throw damaged("\(error)")
    }
    guard identity.id.hash == key.id, identity.digests == record.digests else {
      throw damaged("its rows are those of \(key.kind.name) \(identity.id)")
    }
    do {
      // What it says of its pages must be read here as it was written.
      try reader.checkSeal(name: key.id.bytes)
    } catch {
      throw damaged("\(error)")
    }
  }
}
